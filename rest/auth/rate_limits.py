"""How many requests an API key may make, and how many an address without one, counted by all servers together."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from contextlib import suppress
from ipaddress import IPv6Address, IPv6Network

from limits import RateLimitItem, RateLimitItemPerDay, RateLimitItemPerMinute
from limits.storage import RedisStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from faces.api_key import Key
from faces.errors import StoreFullError
from faces.store.client import RedisClient
from faces.store.connection import translated
from faces.store.keys import LIMIT
from rest.fetching.addresses import parse_address

INVALID_KEYS_PER_MINUTE = 30
VIEWS_PER_MINUTE = 30_000  # a wall scrolled fast shows some hundred pictures a second
NETWORK = 64  # bits; customers get an IPv6 network of at least this size (RFC 6177)


class Windows:
    """Counts in Redis, over windows that slide. Threads may share this object."""

    def __init__(self, redis: RedisClient) -> None:
        storage = RedisStorage("redis://", connection_pool=redis.pool, key_prefix=LIMIT)
        self._limiter = SlidingWindowCounterRateLimiter(storage)

    def wait(self, limits: Iterable[RateLimitItem], who: str) -> int:
        """Count once.

        Returns:
            0 where it is within the limits; else the whole seconds after which to try again.

        Raises:
            StoreError: Redis is unavailable.
        """
        with suppress(StoreFullError), translated():  # searching and erasing must go on without being counted
            for limit in limits:
                if not self._limiter.hit(limit, who):
                    reset = self._limiter.get_window_stats(limit, who).reset_time
                    return max(1, math.ceil(reset - time.time()))
        return 0


class KeyLimits:
    """Requests of a key, a minute and a day; 0 is no limit."""

    def __init__(self, windows: Windows, per_minute: int, per_day: int) -> None:
        self._windows = windows
        self._per_minute = per_minute
        self._per_day = per_day

    def wait(self, key: Key) -> int:
        """Count a request; see `Windows.wait`."""
        minute = self._per_minute if key.per_minute is None else key.per_minute
        day = self._per_day if key.per_day is None else key.per_day
        minutely = [RateLimitItemPerMinute(minute)] if minute else []
        daily = [RateLimitItemPerDay(day)] if day else []
        return self._windows.wait([*minutely, *daily], key.id)


class ViewLimits:
    """Pictures a minute that the browsers signed in with a key show."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._limits = [RateLimitItemPerMinute(VIEWS_PER_MINUTE, namespace="views")]

    def wait(self, key: Key) -> int:
        """Count a picture; see `Windows.wait`."""
        return self._windows.wait(self._limits, key.id)


class RefusalLimits:
    """Invalid keys a minute from one address."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._limits = [RateLimitItemPerMinute(INVALID_KEYS_PER_MINUTE, namespace="refused")]

    def wait(self, address: str) -> int:
        """Count a refusal; see `Windows.wait`."""
        return self._windows.wait(self._limits, source(address))


def source(address: str) -> str:
    """Who an address is counted as: an IPv4 address by itself, an IPv6 address with its network."""
    found = parse_address(address)
    if not isinstance(found, IPv6Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(IPv6Network((int(found), NETWORK), strict=False))
