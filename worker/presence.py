"""What this worker does now, reported to Redis for whoever asks what the fleet does."""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from faces.errors import StoreError
from faces.store import workers
from faces.store.client import RedisClient
from faces.store.workers import WorkerReport
from faces.version import VERSION

log = logging.getLogger(__name__)


class Activity:
    """What a worker does. The computing thread changes it, others read it."""

    def __init__(self) -> None:
        self.pictures = 0
        self.settled = 0
        self.since = time.time()

    @contextmanager
    def processing(self, pictures: int) -> Iterator[None]:
        """Be busy with so many pictures."""
        self.pictures, self.since = pictures, time.time()
        try:
            yield
        finally:
            self.pictures, self.since = 0, time.time()


class Presence:
    """A thread that reports every few seconds, and says when the worker ends."""

    def __init__(
        self,
        redis: RedisClient,
        activity: Activity,
        *,
        model: str,
        ready: Callable[[], str],
        faces: Callable[[], int],
    ) -> None:
        self._redis, self._activity = redis, activity
        self._model, self._ready, self._faces = model, ready, faces
        self._id, self._started = uuid.uuid4().hex, time.time()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="presence", daemon=True)

    def start(self) -> None:
        """Report from now on."""
        self._thread.start()

    def close(self) -> None:
        """Report no more."""
        self._ended.set()
        self._thread.join()
        with suppress(StoreError):
            workers.leave(self._redis, self._id)

    def _run(self) -> None:
        while True:
            try:
                workers.report(self._redis, self._report())
            except StoreError as error:
                log.debug("this worker's state could not be reported: %s", error)
            if self._ended.wait(workers.REPORT_EVERY):
                return

    def _report(self) -> WorkerReport:
        activity, ready = self._activity, self._ready()
        return WorkerReport(
            id=self._id,
            host=socket.gethostname(),
            pid=os.getpid(),
            version=VERSION,
            model=self._model,
            started=self._started,
            state=ready if ready != "ready" else "busy" if activity.pictures else "idle",
            since=activity.since,
            pictures=activity.pictures,
            settled=activity.settled,
            faces=self._faces(),
        )
