"""Reading the databases for a check, while others write to them.

Whatever is judged together is read in one MULTI, so that it is of one instant. What is too much for that, the
encodings and edges, is read piece by piece between two readings of the journal, which names every picture whose
part of db 3 or db 4 can have changed in between.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from faces.errors import StoreError
from faces.store.client import Command, RedisClient
from faces.store.collection import journal
from faces.store.collection.data_version import READ_VERSION
from faces.store.keys import (
    ATTEMPTS,
    ENCODINGS,
    GROUP_PICTURES,
    GROUPS,
    HASHES,
    HOME,
    INFLIGHT,
    MATCHES,
    META,
    NAMES,
    NEXT_ENCODINGS,
    NEXT_MATCHES,
    PICTURES,
    pending_key,
    status_key,
)

PIECE = 500  # keys asked for in one round trip: Redis is busy with them for about a millisecond
LINES = 50_000  # journal lines read at once
TYPES = {HOME: b"string", NAMES: b"string", HASHES: b"set", ENCODINGS: b"list", MATCHES: b"set"}


class NameOwnership(NamedTuple):
    """Of one instant: the picture that a name has in db 1, and whether db 2 gives it to the picture asked for."""

    owner: bytes | None
    member: bool


def keys(redis: RedisClient, database: int, pattern: str = "*") -> Iterator[list[bytes]]:
    """Scan a database. Keys that are there throughout come at least once, others perhaps."""
    cursor: Any = b"0"
    while True:
        ((cursor, found),) = redis.ask((database, "SCAN", cursor, "MATCH", pattern, "COUNT", PIECE))
        yield found
        if cursor == b"0":
            return


def mistyped(redis: RedisClient, database: int) -> Iterator[bytes]:
    """Scan a database for keys whose value is of another type than belongs there; of ours, only the statuses."""
    pattern = status_key("*") if database == HOME else "*"
    right = {TYPES[database], b"none"}  # none: gone since
    for piece in keys(redis, database, pattern):
        types = redis.ask(*((database, "TYPE", key) for key in piece)) if piece else []
        yield from (key for key, kind in zip(piece, types, strict=True) if kind not in right)


def with_status(redis: RedisClient) -> Iterator[list[bytes]]:
    """Scan the pictures that have a status document."""
    prefix = len(status_key(""))
    for piece in keys(redis, HOME, status_key("*")):
        yield [key[prefix:] for key in piece]


def in_flight(redis: RedisClient) -> Iterator[list[bytes]]:
    """Scan the pictures that are accepted and not finished."""
    cursor: Any = b"0"
    while True:
        ((cursor, found),) = redis.ask((HOME, "ZSCAN", INFLIGHT, cursor, "COUNT", PIECE))
        yield found[::2]
        if cursor == b"0":
            return


def size(redis: RedisClient, database: int) -> int:
    """Count the keys of a database."""
    (count,) = redis.ask((database, "DBSIZE"))
    return int(count)


def stored_version(redis: RedisClient) -> list[bytes | None]:
    """What the data is made with, as it is: schema, model, tolerance; None before the first worker started."""
    return list(redis.ask(READ_VERSION)[0])


def last_rebuild(redis: RedisClient) -> bytes | None:
    """Return the id of the last finished rebuild, which leaves no line in the journal; None if there was none."""
    ((rebuilt,),) = redis.ask((HOME, "HMGET", META, "rebuilt"))
    return None if rebuilt is None else bytes(rebuilt)


def tolerance(stored: Sequence[bytes | None]) -> float | None:
    """The tolerance in a reply of `stored_version`.

    Raises:
        StoreError: what is stored there is not a number.
    """
    found = stored[-1]
    if found is None:
        return None
    try:
        return float(found)
    except ValueError as error:
        raise StoreError(f"the tolerance noted in Redis is not a number: {found[:40]!r}") from error


def journal_lines(redis: RedisClient, position: int = 0) -> list[bytes]:
    """Read the journal, as it is, from a position to its end."""
    lines: list[bytes] = []
    while True:
        (piece,) = redis.ask(journal.tail(position + len(lines), LINES))
        if not piece:
            return lines
        lines += piece


def encodings(redis: RedisClient, picture_ids: Sequence[bytes]) -> list[list[bytes]]:
    """The encodings of each picture, as they are."""
    return (
        redis.ask(*((ENCODINGS, "LRANGE", picture_id, 0, -1) for picture_id in picture_ids))
        if picture_ids
        else []
    )


def matches(redis: RedisClient, picture_ids: Sequence[bytes]) -> list[list[bytes]]:
    """The hashes that db 4 has for each picture."""
    return (
        redis.ask(*((MATCHES, "SMEMBERS", picture_id) for picture_id in picture_ids)) if picture_ids else []
    )


def owners(redis: RedisClient, names: Sequence[bytes]) -> list[bytes | None]:
    """The picture that each name has in db 1."""
    return list(redis.ask((NAMES, "MGET", *names))[0]) if names else []


def names_of(redis: RedisClient, picture_ids: Sequence[bytes | str]) -> list[list[bytes]]:
    """The names that db 2 has for each picture."""
    return redis.ask(*((HASHES, "SMEMBERS", picture_id) for picture_id in picture_ids)) if picture_ids else []


def namings(redis: RedisClient, pairs: Sequence[tuple[bytes, bytes]]) -> list[NameOwnership]:
    """Look at pairs of a name and a picture, all at one instant."""
    if not pairs:
        return []
    found, *members = _at_once(
        redis,
        (NAMES, "MGET", *(name for name, _ in pairs)),
        *((HASHES, "SISMEMBER", picture_id, name) for name, picture_id in pairs),
    )
    return [NameOwnership(owner, bool(member)) for owner, member in zip(found, members, strict=True)]


def residue(redis: RedisClient, picture_id: str) -> Iterator[str]:
    """Every place in the databases where a picture is still found; the journal may name it for good."""
    databases = (HASHES, ENCODINGS, MATCHES, NEXT_MATCHES, NEXT_ENCODINGS)
    replies = _at_once(
        redis,
        (HOME, "EXISTS", status_key(picture_id)),
        (HOME, "EXISTS", pending_key(picture_id)),
        (HOME, "ZSCORE", INFLIGHT, picture_id),
        (HOME, "ZSCORE", PICTURES, bytes.fromhex(picture_id)),
        (HOME, "HEXISTS", ATTEMPTS, picture_id),
        (GROUPS, "HEXISTS", GROUP_PICTURES, bytes.fromhex(picture_id)),
        *((database, "EXISTS", picture_id) for database in databases),
    )
    known = ("status", "pending", "inflight", "pictures", "attempts", "groups")
    places = (*known, *(f"db {database}" for database in databases))
    for place, found in zip(places, replies, strict=True):
        if found:
            yield place
    for names in keys(redis, NAMES):
        for name, owner in zip(names, owners(redis, names), strict=True):
            if owner == picture_id.encode():
                yield f"db 1, name {name.decode(errors='replace')}"
    for database in (MATCHES, NEXT_MATCHES):
        for others in keys(redis, database):
            members = redis.ask(*((database, "SISMEMBER", o, picture_id) for o in others)) if others else []
            for other, member in zip(others, members, strict=True):
                if member:
                    yield f"db {database}, matches of {other.decode(errors='replace')}"


def _at_once(redis: RedisClient, *commands: Command) -> list[Any]:
    with redis.session() as session:
        return session.snapshot(*commands)
