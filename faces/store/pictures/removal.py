"""Keeping a picture out while its original is removed.

Whoever removes an original has seen that the picture has no record. Were the same bytes accepted between the two,
the original stored for them would be lost, and the picture would fail. So `accept` refuses a picture that has no
record while anybody is about to remove its original.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from faces.errors import StoreError
from faces.store.client import Command, RedisClient, run_when_full
from faces.store.keys import HOME, removing_key

LONGEST = 30  # seconds to remove an original; a process that was killed keeps its picture out for no longer


@contextmanager
def removing(redis: RedisClient, picture_id: str) -> Iterator[None]:
    """Keep a picture out until its original is removed. Several may remove it at once, also when Redis is full.

    The record is looked for, or erased, within.

    Raises:
        StoreError: Redis is unavailable.
    """
    key, token = removing_key(picture_id), secrets.token_hex(8)
    redis.write(run_when_full((HOME, "HSET", key, token, 1), (HOME, "EXPIRE", key, LONGEST)))
    try:
        yield
    finally:
        with suppress(StoreError):  # it expires
            redis.ask((HOME, "HDEL", key, token))


def count(picture_id: str) -> Command:
    """Command that tells how many are about to remove a picture's original."""
    return (HOME, "HLEN", removing_key(picture_id))
