"""Waiting for a picture to be finished, for requests that ask for it (`?wait=`)."""

from __future__ import annotations

import time

from faces.store import queries
from faces.store.client import RedisClient
from faces.store.status import Status

PAUSES = (0.02, 0.05, 0.1, 0.25, 0.5)  # seconds between looks at the status


class Waiting:
    """Lets requests wait for pictures. Threads may share it."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis

    def wait_for(self, picture_id: str, seconds: float) -> Status | None:
        """Wait until a picture is done, failed or erased, at most for some seconds.

        Returns:
            Its status then, `pending` where the time was too short; None for a picture that is not known.

        Raises:
            StoreError: Redis is unavailable.
        """
        deadline = time.monotonic() + seconds
        look = 0
        while True:
            (status,) = queries.statuses(self._redis, [picture_id])
            left = deadline - time.monotonic()
            if status is None or status.state != "pending" or left <= 0:
                return status
            time.sleep(min(left, PAUSES[min(look, len(PAUSES) - 1)]))
            look += 1
