"""The trail of who did what to which picture. Nothing here changes or removes an entry; the oldest make room.

An entry names the key, never the person's name, the picture's name or anything made from a face. It is written
before the deed: a deed that leaves no entry does not take place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from faces.store.client import RedisClient
from faces.store.keys import AUDIT_LOG, HOME

Action = Literal["scan", "search", "erase", "submit", "withdraw"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One deed; `time` is in Unix seconds, `request` finds the log line that tells how it ended."""

    time: float
    key: str
    did: str
    picture_id: str
    request: str


class AuditLog:
    """Notes deeds, and keeps about the last `most` of them; 0: all."""

    def __init__(self, redis: RedisClient, most: int) -> None:
        self._redis = redis
        self._cap = ("MAXLEN", "~", most) if most else ()

    def note(self, key: str, did: Action, picture_id: str, request: str) -> None:
        """Note that a key's bearer is about to do something.

        Raises:
            StoreError: Redis is away; the deed must not be done.
        """
        fields = ("key", key, "did", did, "picture", picture_id, "request", request)
        self._redis.ask((HOME, "XADD", AUDIT_LOG, *self._cap, "*", *fields))


def last(redis: RedisClient, most: int) -> list[Entry]:
    """The last entries, the newest first."""
    (found,) = redis.ask((HOME, "XREVRANGE", AUDIT_LOG, "+", "-", "COUNT", most))
    return [_entry(number, flat) for number, flat in found]


def _entry(number: bytes, flat: list[bytes]) -> Entry:
    values = [value.decode(errors="replace") for value in flat[1::2]]
    return Entry(int(number.partition(b"-")[0]) / 1000, *values)
