"""Quarantine: pictures on which the engine failed, or that take unusually long, tried alone while others go on."""

from __future__ import annotations

import logging
import queue
import threading

from faces.errors import FacefleetError, ShortageError
from worker.health.memory import Memory
from worker.isolation.engine_process import EngineProcess, Fault
from worker.isolation.verdict import verdict
from worker.isolation.wire import FoundFaces
from worker.metrics import Metrics

NICE = 5  # the child's priority: on a busy core it gets a quarter of the time
MAX_WAITING = 32  # pictures

log = logging.getLogger(__name__)

Found = dict[str, FoundFaces | FacefleetError]


class Quarantine:
    """One picture at a time, each for `timeout` seconds at most, on a thread and in a child of its own."""

    def __init__(self, engine: EngineProcess, memory: Memory, metrics: Metrics, timeout: float) -> None:
        self._engine = engine
        self._memory = memory
        self._metrics = metrics
        self._timeout = timeout
        self._waiting: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()
        self._finished: queue.SimpleQueue[tuple[str, FoundFaces | FacefleetError]] = queue.SimpleQueue()
        self._held: set[str] = set()
        self._thread: threading.Thread | None = None

    def __len__(self) -> int:
        """Number of pictures put here and not yet collected."""
        return len(self._held)

    def __contains__(self, picture_id: str) -> bool:
        return picture_id in self._held

    def full(self) -> bool:
        """Tell whether it takes no more."""
        return len(self) >= MAX_WAITING

    def put(self, picture_id: str, data: bytes) -> None:
        """Take a picture."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="quarantine", daemon=True)
            self._thread.start()
        self._held.add(picture_id)
        self._waiting.put((picture_id, data))

    def collect(self) -> Found:
        """Return what is finished."""
        found: Found = {}
        while not self._finished.empty():
            picture_id, result = self._finished.get()
            found[picture_id] = result
            self._held.discard(picture_id)
        return found

    def _run(self) -> None:
        while True:
            picture_id, data = self._waiting.get()
            self._finished.put((picture_id, self._find(picture_id, data)))

    def _find(self, picture_id: str, data: bytes) -> FoundFaces | FacefleetError:
        try:
            answer = self._engine.find([data], self._memory.budget(), self._timeout)
        except Fault as fault:
            log.warning("the engine failed (%s, %s) on %s in quarantine", fault.kind, fault, picture_id)
            return verdict(fault, crowded=self._memory.crowded())
        except Exception:  # the computing thread meets the same, and ends the worker
            log.exception("quarantine's engine cannot be replaced")
            return ShortageError("the engine could not be started again")
        for name, seconds in answer.stages:
            self._metrics.stage_seconds(name, seconds)
        return answer.results[0]
