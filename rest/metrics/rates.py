"""How many pictures a second were accepted and finished in the last minutes, seen from the fleet's counts."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque

from faces.errors import StoreError
from faces.store.client import RedisClient
from faces.store.pictures import queries
from faces.store.pictures.queries import Counts

INTERVAL = 5.0  # seconds between looks
LAST_LOOK = 5.0  # seconds that closing waits for the current look
MINUTES = (1, 5, 15)

log = logging.getLogger(__name__)


class Rates:
    """Looks at the counts now and then. Threads may share it."""

    def __init__(self, redis: RedisClient) -> None:
        self._redis = redis
        self._seen: deque[tuple[float, Counts]] = deque(maxlen=int(max(MINUTES) * 60 / INTERVAL) + 1)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="rates", daemon=True)

    def start(self) -> Rates:
        """Start looking."""
        self._thread.start()
        return self

    def close(self) -> None:
        """Stop looking, once the current look is over: the link to Redis may be closed next."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(LAST_LOOK)

    def look(self, now: float) -> None:
        """Look at the counts, at a monotonic time.

        Raises:
            StoreError: Redis is unavailable.
        """
        self._seen.append((now, queries.counts(self._redis)))

    def per_second(self, minutes: int) -> dict[str, float] | None:
        """Pictures accepted, done and failed a second over the last minutes, or since the server started.

        None until there are two looks to compare.
        """
        seen = list(self._seen)
        if len(seen) < 2:
            return None
        end, after = seen[-1]
        start, before = next(look for look in seen if look[0] >= end - 60 * minutes)
        if end == start:
            return None
        names = ("accepted", "done", "failed")
        return {
            name: max(0.0, (getattr(after, name) - getattr(before, name)) / (end - start)) for name in names
        }

    def _run(self) -> None:
        while not self._closing.is_set():
            try:
                self.look(time.monotonic())
            except StoreError as error:
                log.debug("the rates cannot be measured: %s", error)
            self._closing.wait(INTERVAL)
