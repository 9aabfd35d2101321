"""Reading the databases for a check, while others write to them.

Whatever is judged together is read in one MULTI, so that it is of one instant. What is too much for that, the
encodings and edges, is read piece by piece between two readings of the journal, which names every picture whose
part of db 3 or db 4 can have changed in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from faces.errors import StoreError
from faces.store import basis, journal
from faces.store.keys import (
    ATTEMPTS,
    ENCODINGS,
    HASHES,
    HOME,
    INFLIGHT,
    MATCHES,
    META,
    NAMES,
    NEXT_ENCODINGS,
    NEXT_MATCHES,
    pending_key,
    status_key,
)
from faces.store.link import Command, Link
from faces.store.status import Status

PIECE = 500  # keys asked for in one round trip: Redis is busy with them for about a millisecond
LINES = 50_000  # journal lines read at once
TYPES = {HOME: b"string", NAMES: b"string", HASHES: b"set", ENCODINGS: b"list", MATCHES: b"set"}


class Naming(NamedTuple):
    """Of one instant: the picture that a name has in db 1, and whether db 2 gives it to the picture asked for."""

    owner: bytes | None
    member: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Of one instant: where a picture stands.

    `state` is None without a status document, "damaged" where that cannot be read. `indexed` counts the faces
    that the document calls indexed, `encodings` those in db 3.
    """

    picture: str
    state: str | None
    indexed: int
    in_flight: bool
    named: bool
    encodings: int


def keys(link: Link, database: int, pattern: str = "*") -> Iterator[list[bytes]]:
    """Scan a database. Keys that are there throughout come at least once, others perhaps."""
    cursor: Any = b"0"
    while True:
        ((cursor, found),) = link.ask((database, "SCAN", cursor, "MATCH", pattern, "COUNT", PIECE))
        yield found
        if cursor == b"0":
            return


def mistyped(link: Link, database: int) -> Iterator[bytes]:
    """Scan a database for keys whose value is of another type than belongs there; of ours, only the statuses."""
    pattern = status_key("*") if database == HOME else "*"
    right = {TYPES[database], b"none"}  # none: gone since
    for piece in keys(link, database, pattern):
        types = link.ask(*((database, "TYPE", key) for key in piece)) if piece else []
        yield from (key for key, kind in zip(piece, types, strict=True) if kind not in right)


def with_status(link: Link) -> Iterator[list[bytes]]:
    """Scan the pictures that have a status document."""
    prefix = len(status_key(""))
    for piece in keys(link, HOME, status_key("*")):
        yield [key[prefix:] for key in piece]


def in_flight(link: Link) -> Iterator[list[bytes]]:
    """Scan the pictures that are accepted and not finished."""
    cursor: Any = b"0"
    while True:
        ((cursor, found),) = link.ask((HOME, "ZSCAN", INFLIGHT, cursor, "COUNT", PIECE))
        yield found[::2]
        if cursor == b"0":
            return


def size(link: Link, database: int) -> int:
    """Count the keys of a database."""
    (count,) = link.ask((database, "DBSIZE"))
    return int(count)


def made_with(link: Link) -> list[bytes | None]:
    """What the data is made with, as it is: schema, model, tolerance; None before the first worker started."""
    return list(link.ask(basis.READ)[0])


def last_rebuild(link: Link) -> bytes | None:
    """The rebuild that was last put in force, by its id; it leaves no line in the journal. None: never any."""
    ((rebuilt,),) = link.ask((HOME, "HMGET", META, "rebuilt"))
    return None if rebuilt is None else bytes(rebuilt)


def tolerance(stored: Sequence[bytes | None]) -> float | None:
    """The tolerance in a reply of `made_with`.

    Raises:
        StoreError: what stands there is not a number.
    """
    found = stored[-1]
    if found is None:
        return None
    try:
        return float(found)
    except ValueError as error:
        raise StoreError(f"the tolerance noted in Redis is not a number: {found[:40]!r}") from error


def journal_lines(link: Link, position: int = 0) -> list[bytes]:
    """Read the journal, as it is, from a position to its end."""
    lines: list[bytes] = []
    while True:
        (piece,) = link.ask(journal.tail(position + len(lines), LINES))
        if not piece:
            return lines
        lines += piece


def encodings(link: Link, pictures: Sequence[bytes]) -> list[list[bytes]]:
    """The encodings of each picture, as they are."""
    return link.ask(*((ENCODINGS, "LRANGE", picture, 0, -1) for picture in pictures)) if pictures else []


def matches(link: Link, pictures: Sequence[bytes]) -> list[list[bytes]]:
    """The hashes that db 4 has for each picture."""
    return link.ask(*((MATCHES, "SMEMBERS", picture) for picture in pictures)) if pictures else []


def owners(link: Link, names: Sequence[bytes]) -> list[bytes | None]:
    """The picture that each name has in db 1."""
    return list(link.ask((NAMES, "MGET", *names))[0]) if names else []


def names_of(link: Link, pictures: Sequence[bytes | str]) -> list[list[bytes]]:
    """The names that db 2 has for each picture."""
    return link.ask(*((HASHES, "SMEMBERS", picture) for picture in pictures)) if pictures else []


def namings(link: Link, pairs: Sequence[tuple[bytes, bytes]]) -> list[Naming]:
    """Look at pairs of a name and a picture, all at one instant."""
    if not pairs:
        return []
    found, *members = _at_once(
        link,
        (NAMES, "MGET", *(name for name, _ in pairs)),
        *((HASHES, "SISMEMBER", picture, name) for name, picture in pairs),
    )
    return [Naming(owner, bool(member)) for owner, member in zip(found, members, strict=True)]


def standings(link: Link, pictures: Sequence[str]) -> list[Standing]:
    """Look where pictures stand, all at one instant."""
    if not pictures:
        return []
    documents, scores, *rest = _at_once(
        link,
        (HOME, "MGET", *map(status_key, pictures)),
        (HOME, "ZMSCORE", INFLIGHT, *pictures),
        *((HASHES, "EXISTS", picture) for picture in pictures),
        *((ENCODINGS, "LLEN", picture) for picture in pictures),
    )
    named, lengths = rest[: len(pictures)], rest[len(pictures) :]
    return [
        Standing(picture, *_read(document), score is not None, bool(has_names), length)
        for picture, document, score, has_names, length in zip(
            pictures, documents, scores, named, lengths, strict=True
        )
    ]


def residue(link: Link, picture: str) -> Iterator[str]:
    """Every place in the databases where a picture is still found; the journal may name it for good."""
    databases = (HASHES, ENCODINGS, MATCHES, NEXT_MATCHES, NEXT_ENCODINGS)
    replies = _at_once(
        link,
        (HOME, "EXISTS", status_key(picture)),
        (HOME, "EXISTS", pending_key(picture)),
        (HOME, "ZSCORE", INFLIGHT, picture),
        (HOME, "HEXISTS", ATTEMPTS, picture),
        *((database, "EXISTS", picture) for database in databases),
    )
    places = ("status", "pending", "inflight", "attempts", *(f"db {database}" for database in databases))
    for place, found in zip(places, replies, strict=True):
        if found:
            yield place
    for names in keys(link, NAMES):
        for name, owner in zip(names, owners(link, names), strict=True):
            if owner == picture.encode():
                yield f"db 1, name {name.decode(errors='replace')}"
    for database in (MATCHES, NEXT_MATCHES):
        for others in keys(link, database):
            members = link.ask(*((database, "SISMEMBER", o, picture) for o in others)) if others else []
            for other, member in zip(others, members, strict=True):
                if member:
                    yield f"db {database}, matches of {other.decode(errors='replace')}"


def _read(document: bytes | None) -> tuple[str | None, int]:
    """State and count of indexed faces; a face counts unless it is marked `"indexed": false`."""
    try:
        status = Status.from_json(document)
        if status is None:
            return None, 0
        return status.state, sum(face.get("indexed", True) is not False for face in status.faces)
    except (StoreError, TypeError, AttributeError):
        return "damaged", 0


def _at_once(link: Link, *commands: Command) -> list[Any]:
    with link.session() as session:
        return session.commit(*commands) or []
