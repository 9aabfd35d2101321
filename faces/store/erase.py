"""Erasing a picture: out of every database at once, and by the journal out of every worker's memory.

What is still in a queue is not brought back: a message without a status document is nobody's. When the same bytes
are sent again, they are accepted like any others. What remains is a hash in the journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from faces.documents import to_json
from faces.store import events, journal, listing
from faces.store.client import Command, RedisClient, Session
from faces.store.keys import (
    ATTEMPTS,
    COUNTS,
    ENCODINGS,
    HASHES,
    HOME,
    INFLIGHT,
    MATCHES,
    NAMES,
    NEXT_ENCODINGS,
    NEXT_MATCHES,
    ORDER,
    erased_key,
    pending_key,
    status_key,
)
from faces.store.status import Status

NAMES_TOLD = 60  # seconds for which readers of events learn the names of an erased picture
PER_PICTURE = (HASHES, ENCODINGS, MATCHES, NEXT_MATCHES, NEXT_ENCODINGS)


@dataclass(frozen=True, slots=True)
class ErasedReceipt:
    """What was removed: the picture's state (None if it was not known), its names, and how many faces and edges."""

    picture_id: str
    state: str | None
    names: list[str]
    faces: int
    edges: int


class _Traces(NamedTuple):
    """What the databases have of a picture: all of it watched."""

    document: bytes | None
    waiting: list[bytes]
    names: list[bytes]
    faces: int
    matches: list[bytes]
    next_matches: list[bytes]
    next_faces: int


def erase(redis: RedisClient, picture_id: str) -> ErasedReceipt:
    """Remove a picture and everything made from it, in one transaction. A second time finds nothing.

    Raises:
        StoreError: Redis is away; the picture is erased or untouched, and calling again is safe.
    """
    while True:
        with redis.session() as session:
            traces = _watch(session, picture_id)
            status = Status.from_json(traces.document)
            commands = _removing(picture_id, traces, status) if any(traces) else []
            if not commands or session.commit(*commands) is not None:
                return _receipt(picture_id, traces, status)


def _watch(session: Session, picture_id: str) -> _Traces:
    """Watch and read. Whoever gives the picture an edge or a name changes one of these keys."""
    watches: list[Command] = [(database, "WATCH", picture_id) for database in PER_PICTURE]
    replies: Sequence[Any] = session.ask(
        (HOME, "WATCH", status_key(picture_id), pending_key(picture_id)),
        *watches,
        (HOME, "GET", status_key(picture_id)),
        (HOME, "HVALS", pending_key(picture_id)),
        (HASHES, "SMEMBERS", picture_id),
        (ENCODINGS, "LLEN", picture_id),
        (MATCHES, "SMEMBERS", picture_id),
        (NEXT_MATCHES, "SMEMBERS", picture_id),
        (NEXT_ENCODINGS, "LLEN", picture_id),
    )
    return _Traces(*replies[len(watches) + 1 :])


def _removing(picture_id: str, traces: _Traces, status: Status | None) -> list[Command]:
    commands: list[Command] = [
        (HOME, "DEL", status_key(picture_id), pending_key(picture_id)),
        (HOME, "ZREM", INFLIGHT, picture_id),
        listing.removed(picture_id),
        (HOME, "HDEL", ATTEMPTS, picture_id),
    ]
    if status is not None:
        commands += [*_telling(picture_id, traces), (HOME, "HINCRBY", COUNTS, "erased", 1)]
        if status.state != "pending":
            commands.append((HOME, "HINCRBY", COUNTS, status.state, -1))
    if traces.faces:
        commands.append(journal.erased(picture_id))
    if traces.names:
        commands += [(HOME, "ZREM", ORDER, *traces.names), (NAMES, "DEL", *traces.names)]
    commands += [(database, "DEL", picture_id) for database in PER_PICTURE]
    commands += [(MATCHES, "SREM", other, picture_id) for other in traces.matches]
    commands += [(NEXT_MATCHES, "SREM", other, picture_id) for other in traces.next_matches]
    return commands


def _telling(picture_id: str, traces: _Traces) -> list[Command]:
    """Commands that tell readers of events; the names are for those who read them at once."""
    names = sorted({name.decode(errors="replace") for name in (*traces.names, *traces.waiting)})
    return [
        (HOME, "SET", erased_key(picture_id), to_json(names), "EX", NAMES_TOLD),
        events.note("erased", picture_id),
    ]


def _receipt(picture_id: str, traces: _Traces, status: Status | None) -> ErasedReceipt:
    names = {name.decode(errors="replace") for name in (*traces.names, *traces.waiting)}
    state = None if status is None else status.state
    return ErasedReceipt(picture_id, state, sorted(names), traces.faces, len(traces.matches))
