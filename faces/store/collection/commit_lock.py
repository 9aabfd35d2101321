"""A lock that puts committing workers in line: in a race the losers' work is wasted, and a slow one always loses.

A list holds one token. A worker that commits takes it, waiting if need be: Redis serves blocked clients in the
order in which they came. The transaction itself puts it back. It is advisory: if a worker dies with the token, the
others wait for `PATIENCE`, then commit without it, and one of them puts a new one there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from faces.store.client import Command, RedisClient
from faces.store.keys import HOME, TURN, TURN_RENEWED

PATIENCE = 3  # seconds: longer than the line of a busy fleet, some milliseconds for each worker
RENEWAL = 10  # seconds within which a lost token is replaced only once

GIVE: list[Command] = [(HOME, "RPUSH", TURN, 1), (HOME, "LTRIM", TURN, 0, 0)]


def take(redis: RedisClient) -> list[Command]:
    """Wait for the token; return the commands that put it back.

    Raises:
        StoreError: Redis is unavailable.
    """
    (token,) = redis.ask((HOME, "BLPOP", TURN, PATIENCE))
    if token is None:
        (token,) = redis.ask((HOME, "SET", TURN_RENEWED, 1, "NX", "EX", RENEWAL))
    return GIVE if token else []


@contextmanager
def held(redis: RedisClient) -> Iterator[None]:
    """Hold commits back; for less than PATIENCE, or others go ahead.

    Raises:
        StoreError: Redis is unavailable.
    """
    give = take(redis)
    try:
        yield
    finally:
        if give:
            redis.ask(*give)
