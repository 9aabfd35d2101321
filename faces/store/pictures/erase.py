"""Erasing a picture: from every database at once, and through the journal from every worker's memory.

A message that is still queued does not bring it back: without a status document nobody processes it. When the
same bytes are sent again, they are accepted like any others. What remains is a hash in the journal. Erasing is how
memory is freed, so it also works when Redis is at its memory limit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from faces.documents import to_json
from faces.store.client import Command, RedisClient
from faces.store.collection import journal
from faces.store.events import stream
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
from faces.store.pictures import listing
from faces.store.pictures.status import Status

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
    """What the databases have of a picture."""

    document: bytes | None
    waiting: list[bytes]
    names: list[bytes]
    faces: int
    matches: list[bytes]
    next_matches: list[bytes]
    next_faces: int
    in_flight: bytes | None


def erase(redis: RedisClient, picture_id: str) -> ErasedReceipt:
    """Remove a picture and everything made from it, in one transaction. A second time finds nothing.

    Raises:
        StoreError: Redis is unavailable; the picture is erased or untouched, and calling again is safe.
    """
    reads = _reads(picture_id)
    while True:
        with redis.session() as session:
            seen = session.examine(*reads)
            traces = _Traces(*seen.replies)
            status = Status.from_json(traces.document)
            if not any(traces):
                session.confirm()
            elif session.commit_when_full(reads, seen, _removing(picture_id, traces, status)) is None:
                continue
            return _receipt(picture_id, traces, status)


def _reads(picture_id: str) -> list[Command]:
    """Whoever gives the picture an edge or a name changes what one of these returns."""
    return [
        (HOME, "GET", status_key(picture_id)),
        (HOME, "HVALS", pending_key(picture_id)),
        (HASHES, "SMEMBERS", picture_id),
        (ENCODINGS, "LLEN", picture_id),
        (MATCHES, "SMEMBERS", picture_id),
        (NEXT_MATCHES, "SMEMBERS", picture_id),
        (NEXT_ENCODINGS, "LLEN", picture_id),
        (HOME, "ZSCORE", INFLIGHT, picture_id),
    ]


def _removing(picture_id: str, traces: _Traces, status: Status | None) -> list[Command]:
    commands: list[Command] = [
        (HOME, "DEL", status_key(picture_id), pending_key(picture_id)),
        (HOME, "ZREM", INFLIGHT, picture_id),
        (HOME, "HDEL", ATTEMPTS, picture_id),
        listing.removed(picture_id),
    ]
    if status is not None:
        commands += [*_events(picture_id, traces), (HOME, "HINCRBY", COUNTS, "erased", 1)]
        if (counted := _counted_as(status, traces)) != "pending":
            commands.append((HOME, "HINCRBY", COUNTS, counted, -1))
    if traces.faces:
        commands += journal.erased(picture_id)
    if traces.names:
        commands += [(HOME, "ZREM", ORDER, name) for name in traces.names]
        commands += [(NAMES, "DEL", name) for name in traces.names]
    commands += [(database, "DEL", picture_id) for database in PER_PICTURE]
    commands += [(MATCHES, "SREM", other, picture_id) for other in traces.matches]
    commands += [(NEXT_MATCHES, "SREM", other, picture_id) for other in traces.next_matches]
    return commands


def _events(picture_id: str, traces: _Traces) -> list[Command]:
    """Commands that add the event; the names are kept for those who read it at once."""
    return [
        (HOME, "SET", erased_key(picture_id), to_json(_names(traces)), "EX", NAMES_TOLD),
        stream.note("erased", picture_id),
    ]


def _names(traces: _Traces) -> list[str]:
    return sorted({name.decode(errors="replace") for name in (*traces.names, *traces.waiting)})


def _counted_as(status: Status, traces: _Traces) -> str:
    """Return the state that `counts` has the picture in; of a damaged document the databases tell it."""
    if status.state != "damaged":
        return status.state
    if traces.in_flight is not None:
        return "pending"
    return "done" if traces.names or traces.faces else "failed"


def _receipt(picture_id: str, traces: _Traces, status: Status | None) -> ErasedReceipt:
    state = None if status is None else status.state
    return ErasedReceipt(picture_id, state, _names(traces), traces.faces, len(traces.matches))
