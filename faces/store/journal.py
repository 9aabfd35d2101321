"""The journal: which pictures with faces were committed and erased, in order.

Each entry is `+` or `-` and the picture's 32-byte digest. Who has read up to a position knows every face
committed before it: as long as Redis has lost nothing of it, which is seen by the last line that was read.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from faces.errors import MismatchError, StoreError
from faces.store.client import Command, RedisClient, Session
from faces.store.keys import ENCODING_BYTES, ENCODINGS, HOME, JOURNAL

ENTRY_BYTES = 33


class Entry(NamedTuple):
    """One line of the journal; a committed picture comes with its encodings, 512 bytes each."""

    digest: bytes
    erased: bool
    encodings: tuple[bytes, ...] = ()

    @property
    def line(self) -> bytes:
        """The line itself."""
        return (b"-" if self.erased else b"+") + self.digest


class Place(NamedTuple):
    """Up to which position somebody has read the journal, and the line before it; empty where it was not read."""

    position: int
    line: bytes = b""


def committed(*picture_ids: str) -> Command:
    """Command that notes pictures as committed, in this order."""
    return (HOME, "RPUSH", JOURNAL, *(b"+" + bytes.fromhex(picture_id) for picture_id in picture_ids))


def erased(picture_id: str) -> Command:
    """Command that notes a picture as erased."""
    return (HOME, "RPUSH", JOURNAL, b"-" + bytes.fromhex(picture_id))


def tail(position: int, most: int | None = None) -> Command:
    """Command that reads the journal from a position on, at most `most` lines."""
    return (HOME, "LRANGE", JOURNAL, position, -1 if most is None else position + most - 1)


def after(place: Place, most: int | None = None) -> Command:
    """Command that reads the journal from a place on, the line before it included where that was read."""
    again = bool(place.line)
    return tail(place.position - again, None if most is None else most + again)


def news(place: Place, lines: Sequence[bytes]) -> Sequence[bytes]:
    """What is new in the reply to `after`.

    Raises:
        MismatchError: the line before has become another one, or is gone.
    """
    if place.line and lines[:1] != [place.line]:
        raise MismatchError(
            "the journal in Redis is no longer the one that this process has followed: a backup was restored, or a "
            "failover has lost writes; start it again"
        )
    return lines[bool(place.line) :]


def count_pictures(redis: RedisClient) -> int:
    """Count the pictures with faces that are there now."""
    (count,) = redis.ask((ENCODINGS, "DBSIZE"))
    return int(count)


def read(redis: RedisClient, position: int, most: int) -> list[Entry]:
    """Read at most `most` entries from a position on, with their encodings."""
    return follow(redis, Place(position), most)


def follow(redis: RedisClient, place: Place, most: int) -> list[Entry]:
    """The same from a place on.

    Raises:
        MismatchError: the journal is another one.
    """
    with redis.session() as session:
        (lines,) = session.ask(after(place, most))
        return entries(session, news(place, lines))


def entries(session: Session, lines: Sequence[bytes], database: int = ENCODINGS) -> list[Entry]:
    """Complete journal lines with the encodings that db 3, or another, has now; an erased picture has none.

    Raises:
        StoreError: a line or an encoding is damaged.
    """
    for line in lines:
        if len(line) != ENTRY_BYTES or line[:1] not in {b"+", b"-"}:
            raise StoreError(f"the journal has a damaged line: {line[:40]!r}")
    known = encodings(session, {line[1:] for line in lines if line[:1] == b"+"}, database)
    return [
        Entry(line[1:], erased=True)
        if line[:1] == b"-"
        else Entry(line[1:], erased=False, encodings=known[line[1:]])
        for line in lines
    ]


def encodings(
    session: Session, digests: Collection[bytes], database: int = ENCODINGS
) -> dict[bytes, tuple[bytes, ...]]:
    """Read the encodings that pictures have now; one that is not there has none.

    Raises:
        StoreError: an encoding is damaged.
    """
    if not digests:
        return {}
    lists = session.ask(*((database, "LRANGE", digest.hex(), 0, -1) for digest in digests))
    known = dict(zip(digests, map(tuple, lists), strict=True))
    if not set(map(len, chain.from_iterable(lists))) <= {ENCODING_BYTES}:
        raise StoreError(f"a stored encoding of picture {_damaged(known).hex()} is damaged")
    return known


def _damaged(known: Mapping[bytes, Sequence[bytes]]) -> bytes:
    return next(digest for digest, found in known.items() if any(len(e) != ENCODING_BYTES for e in found))
