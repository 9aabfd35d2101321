"""The trail of who did what to which picture. Nothing here changes or removes an entry; the oldest make room.

An entry names the key, never the person's name, the picture's name or anything made from a face. It is written
before the deed: a deed that leaves no entry does not take place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from faces.store.keys import HOME, TRAIL
from faces.store.link import Link

Deed = Literal["scan", "search", "erase"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One deed; `time` is in Unix seconds, `request` finds the log line that tells how it ended."""

    time: float
    key: str
    did: str
    picture: str
    request: str


class Trail:
    """Notes deeds, and keeps about the last `most` of them; 0: all."""

    def __init__(self, link: Link, most: int) -> None:
        self._link = link
        self._cap = ("MAXLEN", "~", most) if most else ()

    def note(self, key: str, did: Deed, picture: str, request: str) -> None:
        """Note that a key's bearer is about to do something.

        Raises:
            StoreError: Redis is away; the deed must not be done.
        """
        fields = ("key", key, "did", did, "picture", picture, "request", request)
        self._link.ask((HOME, "XADD", TRAIL, *self._cap, "*", *fields))


def last(link: Link, most: int) -> list[Entry]:
    """The last entries, the newest first."""
    (found,) = link.ask((HOME, "XREVRANGE", TRAIL, "+", "-", "COUNT", most))
    return [_entry(number, flat) for number, flat in found]


def _entry(number: bytes, flat: list[bytes]) -> Entry:
    values = [value.decode(errors="replace") for value in flat[1::2]]
    return Entry(int(number.partition(b"-")[0]) / 1000, *values)
