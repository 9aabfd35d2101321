"""The audit log: who did what to which picture. Entries are never changed; the oldest are trimmed.

An entry has the id of the key, never a person's name, a picture's name or anything made from a face. It is written
before the action: an action that cannot be logged is not done.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from faces.store.client import Command, RedisClient, run_when_full
from faces.store.keys import AUDIT_LOG, HOME

Action = Literal["scan", "search", "erase", "submit", "withdraw", "issue", "revoke"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One action; `time` is in Unix seconds, `request` is the id that its log line has.

    `picture_id` is a picture's hash, or `statement` or `key` and its number.
    """

    time: float
    key: str
    did: str
    picture_id: str
    request: str


class AuditLog:
    """Records actions, and keeps about the last `most` of them; 0: all."""

    def __init__(self, redis: RedisClient, most: int) -> None:
        self._redis = redis
        self._cap = ("MAXLEN", "~", most) if most else ()

    def note(self, key: str, did: Action, picture_id: str, request: str) -> None:
        """Record that the bearer of a key is about to do something.

        Raises:
            StoreError: Redis is unavailable; the action must not be done.
        """
        self.note_all(key, did, [picture_id], request)

    def note_all(self, key: str, did: Action, picture_ids: Sequence[str], request: str) -> None:
        """Record that the bearer of a key is about to do the same to each of some pictures.

        Raises:
            StoreError: Redis is unavailable; nothing of it must be done.
        """
        commands = [self._added(key, did, picture_id, request) for picture_id in picture_ids]
        self._redis.ask(*(commands if did == "scan" else map(run_when_full, commands)))

    def _added(self, key: str, did: Action, picture_id: str, request: str) -> Command:
        fields = ("key", key, "did", did, "picture", picture_id, "request", request)
        return (HOME, "XADD", AUDIT_LOG, *self._cap, "*", *fields)


def last(redis: RedisClient, most: int) -> list[Entry]:
    """Return the last entries, the newest first."""
    return page(redis, most, None)[0]


def page(
    redis: RedisClient, most: int, before: tuple[int, int] | None
) -> tuple[list[Entry], tuple[int, int] | None]:
    """Return entries, the newest first, and where the next page goes on; None at the end.

    Args:
        redis: the connection to Redis.
        most: how many.
        before: where the page before said to go on; None: the newest.

    Raises:
        StoreError: Redis is unavailable.
    """
    end = "+" if before is None else f"({before[0]}-{before[1]}"
    (found,) = redis.ask((HOME, "XREVRANGE", AUDIT_LOG, end, "-", "COUNT", most))
    entries = [_entry(number, flat) for number, flat in found]
    if len(found) < most:
        return entries, None
    milliseconds, _, sequence = found[-1][0].partition(b"-")
    return entries, (int(milliseconds), int(sequence))


def _entry(number: bytes, flat: list[bytes]) -> Entry:
    values = [value.decode(errors="replace") for value in flat[1::2]]
    return Entry(int(number.partition(b"-")[0]) / 1000, *values)
