"""Waiting for a picture to be finished, for requests that ask for it (`?wait=`)."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from faces.store.client import RedisClient
from faces.store.events.stream import FINAL
from faces.store.pictures import queries
from faces.store.pictures.status import Status
from rest.bounds import Bound
from rest.events.follower import Batch, Follower

LOOK = 2.0  # seconds between looks at the status, in case an event was missed while Redis was away


class Waiting:
    """Lets requests wait for pictures. Threads may share it."""

    def __init__(self, redis: RedisClient, follower: Follower, bound: Bound) -> None:
        self._redis = redis
        self._follower = follower
        self._bound = bound

    def wait_for(self, picture_id: str, seconds: float, gone: threading.Event | None = None) -> Status | None:
        """Wait until a picture is done, failed or erased, at most for some seconds.

        Once `gone` is set, by whatever thread, nobody waits any more; that is seen within `LOOK` seconds.

        Returns:
            Its status then, `pending` where the time was too short; None for a picture that is not known.

        Raises:
            ProblemError: `busy`, as many requests wait as may.
            StoreError: Redis is unavailable.
        """
        deadline = time.monotonic() + seconds
        with self._bound.held(), self._finished(picture_id) as finished:
            while True:
                (status,) = queries.statuses(self._redis, [picture_id])
                left = deadline - time.monotonic()
                if status is None or status.state != "pending" or left <= 0 or (gone and gone.is_set()):
                    return status
                finished.wait(min(left, LOOK))
                finished.clear()

    @contextmanager
    def _finished(self, picture_id: str) -> Iterator[threading.Event]:
        """An event that is set when the picture is finished."""
        finished = threading.Event()

        def look(batch: Batch) -> None:
            if any(d.get("hash") == picture_id and d["kind"] in FINAL for d in batch.documents):
                finished.set()

        with self._follower.subscribed(look):
            yield finished
