"""Finds the faces of a batch; where the engine fails, finds out which picture it was."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Protocol

from faces.errors import FacefleetError, PictureError, PoisonError, ShortageError
from worker.health.memory import Memory
from worker.isolation.engine_process import Fault
from worker.isolation.wire import Answer, FoundFaces
from worker.metrics import Metrics

KILLED = "SIGKILL"  # by the kernel, which ran out of memory, or by an operator

log = logging.getLogger(__name__)

Found = dict[str, FoundFaces | FacefleetError]


class IsolatedEngine(Protocol):
    """`worker.isolation.engine_process.EngineProcess`."""

    def find(self, pictures: Sequence[bytes], memory: int) -> Answer:
        """Find the faces of pictures, or raise Fault."""

    def renew(self) -> str:
        """Have the next batch done by a new child."""


class Finder:
    """Finds faces with an engine that may die of any picture."""

    def __init__(self, engine: IsolatedEngine, memory: Memory, metrics: Metrics) -> None:
        self._engine = engine
        self._memory = memory
        self._metrics = metrics

    def find(self, pictures: Mapping[str, bytes]) -> Found:
        """Find the faces of each picture, or the error that is the picture's own.

        A picture on which the engine died is tried once more, alone; the others go on without it.
        """
        results: Found = {}
        left = dict(pictures)
        while left:
            try:
                return results | self._at_once(left)
            except Fault as fault:
                self._metrics.engine_fault(fault.kind)
                suspects = list(left) if fault.at is None else [list(left)[fault.at]]
                log.warning("the engine failed (%s, %s) on %s", fault.kind, fault, ", ".join(suspects))
                for suspect in suspects:
                    data = left.pop(suspect)
                    guilty = len(pictures) == 1 or (fault.kind == "hang" and fault.at is not None)
                    results |= {suspect: self._verdict(fault)} if guilty else self.find({suspect: data})
        return results

    def _at_once(self, pictures: Mapping[str, bytes]) -> Found:
        answer = self._engine.find(list(pictures.values()), self._memory.budget())
        for name, seconds in answer.stages:
            self._metrics.stage_seconds(name, seconds)
        if self._memory.engine_outgrown(answer.resident):
            log.info("the engine has grown to %d MB: replacing it", answer.resident >> 20)
            self._engine.renew()
        return dict(zip(pictures, answer.results, strict=True))

    def _verdict(self, fault: Fault) -> FacefleetError:
        """What a fault on a single picture means for it."""
        match fault.kind:
            case "hang":
                return PoisonError(f"the engine did not finish with it: {fault}", code="timeout")
            case "failed":
                return PictureError(f"the engine failed on it: {fault}", code="engine_failed")
            case "crash" if str(fault) != KILLED:
                return PoisonError(f"the engine crashed on it ({fault})")
            case "memory" if not self._memory.crowded():
                return PictureError(
                    "it needs more memory than a worker has; send a smaller one", code="out_of_memory"
                )
            case _:
                return ShortageError("this worker has too little memory left for it")
