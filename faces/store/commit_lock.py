"""Whose turn it is to commit: workers that race waste what the losers have sent, and a slow one would always lose.

A list holds one token. Who commits takes it, waiting in line if need be, since Redis serves blocked clients in the
order in which they came; the transaction itself puts it back. It is advice only: a worker that has died with the
token keeps the others waiting for `PATIENCE`; then they go ahead without, and one of them puts a new one there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from faces.store.client import Command, RedisClient
from faces.store.keys import HOME, TURN, TURN_RENEWED

PATIENCE = 3  # seconds: longer than a busy fleet's line takes, some milliseconds for each worker
RENEWAL = 10  # seconds for which a lost token is replaced only once

GIVE: list[Command] = [(HOME, "RPUSH", TURN, 1), (HOME, "LTRIM", TURN, 0, 0)]


def take(redis: RedisClient) -> list[Command]:
    """Wait for the turn; gives the commands that pass it on.

    Raises:
        StoreError: Redis is away.
    """
    (token,) = redis.ask((HOME, "BLPOP", TURN, PATIENCE))
    if token is None:
        (token,) = redis.ask((HOME, "SET", TURN_RENEWED, 1, "NX", "EX", RENEWAL))
    return GIVE if token else []


@contextmanager
def held(redis: RedisClient) -> Iterator[None]:
    """Hold commits back; for less than PATIENCE, or others go ahead.

    Raises:
        StoreError: Redis is away.
    """
    give = take(redis)
    try:
        yield
    finally:
        if give:
            redis.ask(*give)
