"""Finds the faces of a batch; a picture on which the engine fails goes to quarantine, and the others go on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from faces.errors import FacefleetError
from worker.health.memory import Memory
from worker.isolation.engine_process import Fault
from worker.isolation.quarantine import Found
from worker.isolation.verdict import verdict
from worker.isolation.wire import Answer, FoundFaces
from worker.metrics import Metrics

MIN_SLOW = 0.15  # seconds without progress, after which a picture goes to quarantine;
SLOW = 10  # and how many times as long that must be as a picture of its size usually takes
MIN_PACE = 5e-7  # seconds a byte, of which that is at least; 8 ms for a small portrait

MAX_WAIT = 10.0  # seconds for a picture for which somebody is waiting

AT_ONCE = 4  # pictures whose faces are encoded together, which takes an eighth less of the processor's time;
SMALL = 256 << 10  # and how many bytes they have at most: of larger ones the encoding is a small part

log = logging.getLogger(__name__)


class IsolatedEngine(Protocol):
    """`worker.isolation.engine_process.EngineProcess`."""

    def find(self, pictures: Sequence[bytes], memory: int, timeout: float) -> Answer:
        """Find the faces of pictures, or raise Fault."""

    def renew(self) -> str:
        """Have the next batch done by a new child."""


class Suspects(Protocol):
    """`worker.isolation.quarantine.Quarantine`."""

    def full(self) -> bool:
        """Tell whether it takes no more."""

    def put(self, picture_id: str, data: bytes) -> None:
        """Take a picture."""


class Finder:
    """Finds faces with an engine that may die of any picture. Belongs to the computing thread.

    `timeout` is how many seconds a picture may take. Without a quarantine, or while it is full, a picture on which
    the engine failed is tried alone here.
    """

    def __init__(
        self,
        engine: IsolatedEngine,
        quarantine: Suspects | None,
        memory: Memory,
        metrics: Metrics,
        timeout: float,
    ) -> None:
        self._engine = engine
        self._quarantine = quarantine
        self._memory = memory
        self._metrics = metrics
        self._timeout = timeout
        self._pace = MIN_PACE  # seconds that a byte takes, of late

    def find(self, pictures: Mapping[str, bytes], between: Callable[[], None] = lambda: None) -> Found:
        """Find the faces of each picture, or the error that is its own; those in quarantine are left out.

        Small pictures are searched a few at a time; `between` is called before each such group, and can answer a
        search in the meantime.
        """
        results: Found = {}
        for group in _groups(pictures):
            between()
            results |= self._find(group, alone=len(pictures) == 1)
        return results

    def find_now(self, data: bytes) -> FoundFaces:
        """Find the faces of a picture for which somebody is waiting.

        Raises:
            FacefleetError: the picture's own error.
        """
        try:
            answer = self._engine.find([data], self._memory.budget(), min(self._timeout, MAX_WAIT))
        except Fault as fault:
            self._metrics.engine_fault(fault.kind)
            raise verdict(fault, crowded=self._memory.crowded()) from fault
        (result,) = answer.results
        if isinstance(result, FacefleetError):
            raise result
        return result

    def _find(self, group: Mapping[str, bytes], *, alone: bool) -> Found:
        results: Found = {}
        left = dict(group)
        while left:
            try:
                return results | self._measured(left)
            except Fault as fault:
                self._metrics.engine_fault(fault.kind)
                suspects = list(left) if fault.at is None else [list(left)[fault.at]]
                self._tell(fault, ", ".join(suspects))
                for suspect in suspects:
                    results |= self._suspect(suspect, left.pop(suspect), fault, alone=alone)
        return results

    def _suspect(self, picture_id: str, data: bytes, fault: Fault, *, alone: bool) -> Found:
        if (quarantine := self._open_quarantine()) is not None:
            quarantine.put(picture_id, data)
            return {}
        if alone or (fault.kind == "hang" and fault.at is not None):
            return {picture_id: verdict(fault, crowded=self._memory.crowded())}
        return self._find({picture_id: data}, alone=True)  # by an engine that has seen no other picture

    def _tell(self, fault: Fault, suspects: str) -> None:
        if fault.kind == "hang" and self._open_quarantine() is not None:  # most such pictures are merely slow
            log.info("%s on %s: trying it alone", fault, suspects)
        else:
            log.warning("the engine failed (%s, %s) on %s", fault.kind, fault, suspects)

    def _open_quarantine(self) -> Suspects | None:
        """Return the quarantine if there is one that takes more."""
        return None if self._quarantine is None or self._quarantine.full() else self._quarantine

    def _measured(self, group: Mapping[str, bytes]) -> Found:
        answer = self._engine.find(list(group.values()), self._memory.budget(), self._limit(group))
        for name, seconds in answer.stages:
            self._metrics.stage_seconds(name, seconds)
        spent = sum(seconds for _, seconds in answer.stages)
        pace = max(spent / max(sum(map(len, group.values())), 1), MIN_PACE)
        self._pace += (pace - self._pace) / 8
        if self._memory.engine_outgrown(answer.resident):
            log.info("the engine has grown to %d MB: replacing it", answer.resident >> 20)
            self._engine.renew()
        return dict(zip(group, answer.results, strict=True))

    def _limit(self, group: Mapping[str, bytes]) -> float:
        """Seconds without progress that are too many here."""
        if self._open_quarantine() is None:
            return self._timeout
        return min(self._timeout, max(MIN_SLOW, SLOW * self._pace * max(map(len, group.values()))))


def _groups(pictures: Mapping[str, bytes]) -> Iterator[dict[str, bytes]]:
    group: dict[str, bytes] = {}
    for picture_id, data in pictures.items():
        if group and (len(group) == AT_ONCE or sum(map(len, group.values())) + len(data) > SMALL):
            yield group
            group = {}
        group[picture_id] = data
    if group:
        yield group
