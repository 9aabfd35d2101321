"""The journal: which pictures with faces were committed and erased, in order.

Each entry is `+` or `-` and the picture's 32-byte digest. Whoever has read up to a position knows every face
committed before it, as long as Redis has lost nothing of it. It may: a backup is restored, or a replica takes over
that lacks the last writes; and the lines that come after may equal the lost ones. So each transaction also
appends a random mark to a second list. A reader remembers the last mark it saw; as long as that stands in its
place, the history before it is the one that was read.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from faces.errors import MismatchError, StoreError
from faces.store.client import Command, RedisClient, Session
from faces.store.keys import ENCODING_BYTES, ENCODINGS, HOME, JOURNAL, MARKS

ENTRY_BYTES = 33
MARK_BYTES = 8


class Entry(NamedTuple):
    """One line of the journal; a committed picture comes with its encodings, 512 bytes each."""

    digest: bytes
    erased: bool
    encodings: tuple[bytes, ...] = ()

    @property
    def line(self) -> bytes:
        """The line itself."""
        return (b"-" if self.erased else b"+") + self.digest


class Mark(NamedTuple):
    """The random bytes of the n-th transaction that appended to the journal; 0: none yet."""

    number: int = 0
    value: bytes = b""


class Place(NamedTuple):
    """How far somebody has read the journal: the position, the line before it if it was read, and the last mark."""

    position: int
    line: bytes = b""
    mark: Mark = Mark()


class Tail(NamedTuple):
    """What follows a place: the new lines, and the last mark."""

    lines: Sequence[bytes]
    mark: Mark


def new_mark(before: Mark) -> Mark:
    """Create the mark of the transaction that comes after `before`."""
    return Mark(before.number + 1, secrets.token_bytes(MARK_BYTES))


def committed(mark: Mark, *picture_ids: str) -> list[Command]:
    """Commands that record pictures as committed, in this order."""
    lines = (b"+" + bytes.fromhex(picture_id) for picture_id in picture_ids)
    return [(HOME, "RPUSH", JOURNAL, *lines), (HOME, "RPUSH", MARKS, mark.value)]


def erased(picture_id: str) -> list[Command]:
    """Commands that record a picture as erased."""
    return [
        (HOME, "RPUSH", JOURNAL, b"-" + bytes.fromhex(picture_id)),
        (HOME, "RPUSH", MARKS, secrets.token_bytes(MARK_BYTES)),
    ]


def tail(position: int, most: int | None = None) -> Command:
    """Command that reads the journal from a position on, at most `most` lines."""
    return (HOME, "LRANGE", JOURNAL, position, -1 if most is None else position + most - 1)


def after(place: Place, most: int | None = None) -> list[Command]:
    """Commands whose replies `news` reads: the journal from a place on, and the marks.

    The marks come last: a mark may cover more lines than were read, but never fewer.
    """
    again = bool(place.line)
    return [
        tail(place.position - again, None if most is None else most + again),
        (HOME, "LINDEX", MARKS, place.mark.number - 1),
        (HOME, "LINDEX", MARKS, -1),
        (HOME, "LLEN", MARKS),
    ]


def news(place: Place, replies: Sequence[Any]) -> Tail:
    """Read the replies to `after`.

    Raises:
        MismatchError: the journal is no longer the one that was read up to this place.
    """
    lines, seen, last, count = replies
    lost_line = bool(place.line) and lines[:1] != [place.line]
    if lost_line or (place.mark.number and seen != place.mark.value):
        raise MismatchError(
            "the journal in Redis is no longer the one that this process was following: a backup was restored, or "
            "a failover lost writes; restart this process"
        )
    mark = Mark() if last is None else Mark(count, last)
    return Tail(lines[bool(place.line) :], mark)


def count_pictures(redis: RedisClient) -> int:
    """Count the pictures with faces that are there now."""
    (count,) = redis.ask((ENCODINGS, "DBSIZE"))
    return int(count)


def read(redis: RedisClient, position: int, most: int) -> list[Entry]:
    """Read at most `most` entries from a position on, with their encodings."""
    return follow(redis, Place(position), most)[0]


def follow(redis: RedisClient, place: Place, most: int) -> tuple[list[Entry], Mark]:
    """Read at most `most` entries that follow a place, with their encodings, and the last mark.

    Raises:
        MismatchError: the journal is another one.
    """
    with redis.session() as session:
        lines, mark = news(place, session.ask(*after(place, most)))
        return entries(session, lines), mark


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
