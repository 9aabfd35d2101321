"""How many requests an API key may make, counted in Redis so that all servers count together."""

from __future__ import annotations

import math
import time

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from faces.access import Key
from faces.store.keys import LIMIT
from faces.store.link import Link, translated


class KeyLimits:
    """Limits a minute and a day, over windows that slide; 0 is no limit."""

    def __init__(self, link: Link, per_minute: int, per_day: int) -> None:
        storage = RedisStorage("redis://", connection_pool=link.pool, key_prefix=LIMIT)
        self._limiter = SlidingWindowCounterRateLimiter(storage)
        self._per_minute = per_minute
        self._per_day = per_day

    def wait(self, key: Key) -> int:
        """Count a request.

        Returns:
            0 where it is within the limits; else the whole seconds after which to try again.

        Raises:
            StoreError: Redis is away.
        """
        with translated():
            for limit in self._of(key):
                if not self._limiter.hit(limit, key.id):
                    reset = self._limiter.get_window_stats(limit, key.id).reset_time
                    return max(1, math.ceil(reset - time.time()))
        return 0

    def _of(self, key: Key) -> list[RateLimitItem]:
        minute = self._per_minute if key.per_minute is None else key.per_minute
        day = self._per_day if key.per_day is None else key.per_day
        minutely = [RateLimitItemPerMinute(minute)] if minute else []
        daily = [RateLimitItemPerDay(day)] if day else []
        return [*minutely, *daily]
