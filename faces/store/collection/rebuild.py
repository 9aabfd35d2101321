"""Rebuilding db 4 with another tolerance or model, while the fleet works.

The new edges grow in db 5, along the journal. At the journal's end one MULTI swaps the two databases and records in
`meta` what they were made with: a reader sees all of the old edges or all of the new ones. Workers that still use
the old data version find out at their next commit, and have to be restarted with the new one.

Every piece is one transaction that also moves `position`, so a rebuild that was killed resumes where it was, and
a second one at the same time helps, or fails if it is to something else. For another model the encodings, made
beforehand, are taken from db 6 (`faces.store.collection.models`) and become db 3 with the same swap.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from faces.errors import MismatchError
from faces.store.client import Command, RedisClient, Session
from faces.store.collection import journal
from faces.store.collection.data_version import READ_VERSION, DataVersion
from faces.store.collection.journal import Entry
from faces.store.keys import (
    ENCODINGS,
    HOME,
    JOURNAL,
    MATCHES,
    META,
    NEXT_ENCODINGS,
    NEXT_MATCHES,
    REBUILD,
)

PIECE = 500  # journal entries written in one transaction: Redis is busy with them for some milliseconds


class LackingError(MismatchError):
    """A picture has no encoding by the new model yet."""


class Faces(Protocol):
    """Faces in the caller's memory, and its matching rule."""

    def advance(self, entries: Sequence[Entry]) -> None:
        """Take in the journal's next entries; of each picture the last one counts."""

    def matching(self, entries: Sequence[Entry]) -> Sequence[Iterable[str]]:
        """Return for each of these pictures, added before, the hashes of all others with a matching face."""


@dataclass(frozen=True, slots=True)
class _Rebuild:
    """The rebuild under way: `source` is the database with its encodings."""

    id: bytes
    source: int
    position: int


def rebuild(
    redis: RedisClient, data_version: DataVersion, faces: Faces, *, patient: bool = False
) -> Iterator[tuple[int, int]]:
    """Rebuild db 4, or resume a rebuild to the same version; yield how far it is and the journal's length.

    `faces` starts empty. The rebuild is complete when the iterator ends. While a picture lacks an encoding by the
    new model, a `patient` one gives the same position again, so that the caller can wait for it.

    Raises:
        MismatchError: a rebuild to something else is under way, this one was abandoned meanwhile, or a picture
            lacks an encoding of the new model.
        StoreError: Redis is unavailable; calling again resumes.
    """
    begun = _begin(redis, data_version)
    position = 0
    while True:
        with redis.session() as session:
            now = _watch(session, begun, JOURNAL, META)
            if now is None:
                return
            (length,) = session.ask((HOME, "LLEN", JOURNAL))
            end = min(now.position if position < now.position else length, position + PIECE)
            if end == position:
                if _finish(session, data_version, now):
                    return
                continue
            (lines,) = session.ask(journal.tail(position, end - position))
            entries = _entries_or_none(session, lines, now.source, patient=patient)
        if entries is None:
            yield position, max(length, position)
            continue
        faces.advance(entries)
        if end > now.position:
            _write(redis, begun, end, entries, faces)
        position = end
        yield position, max(length, position)


def abandon(redis: RedisClient) -> None:
    """Abandon the rebuild under way, if there is one; its edges are dropped."""
    with redis.session() as session:
        session.commit((HOME, "DEL", REBUILD), (NEXT_MATCHES, "FLUSHDB", "ASYNC"))


def _begin(redis: RedisClient, data_version: DataVersion) -> _Rebuild:
    while True:
        with redis.session() as session:
            _, stored, (following,), under_way = session.ask(
                (HOME, "WATCH", REBUILD, META),
                READ_VERSION,
                (HOME, "HMGET", META, "next"),
                (HOME, "HMGET", REBUILD, "id", "model", "tolerance"),
            )
            other = stored[1] is not None and stored[1].decode() != data_version.model
            if other and following != data_version.model.encode():
                raise MismatchError(
                    f"there are no encodings of model {data_version.model}: encode the pictures first"
                )
            source = NEXT_ENCODINGS if other else ENCODINGS
            identity, *wanted = under_way
            if identity is not None:
                _same(data_version, wanted)
                return _Rebuild(identity, source, 0)
            identity = uuid.uuid4().bytes
            start = {"id": identity, "position": 0, **data_version.fields}
            if session.commit(
                (HOME, "HSET", REBUILD, *(word for pair in start.items() for word in pair)),
                (NEXT_MATCHES, "FLUSHDB", "ASYNC"),
            ):
                return _Rebuild(identity, source, 0)


def _same(data_version: DataVersion, wanted: Sequence[bytes]) -> None:
    model, tolerance = (value.decode() for value in wanted)
    if (model, tolerance) != (data_version.model, repr(data_version.tolerance)):
        raise MismatchError(
            f"a rebuild to model {model} and tolerance {tolerance} is in progress: finish or abandon it first"
        )


def _watch(session: Session, begun: _Rebuild, *more: str) -> _Rebuild | None:
    """Watch the rebuild and more keys, and see where it stands; None if another process has completed it."""
    _, (identity, position), (completed,) = session.ask(
        (HOME, "WATCH", REBUILD, *more),
        (HOME, "HMGET", REBUILD, "id", "position"),
        (HOME, "HMGET", META, "rebuilt"),
    )
    if identity == begun.id:
        return _Rebuild(identity, begun.source, int(position))
    if completed == begun.id:
        return None
    raise MismatchError("this rebuild was abandoned by another process")


def _entries_or_none(
    session: Session, lines: Sequence[bytes], source: int, *, patient: bool
) -> list[Entry] | None:
    """Read entries with their encodings; None where some are lacking and the caller waits for them."""
    try:
        return _entries(session, lines, source)
    except LackingError:
        if patient:
            return None
        raise


def _entries(session: Session, lines: Sequence[bytes], source: int) -> list[Entry]:
    """Read entries with their encodings; a picture that has some only of the old model is an error."""
    entries = journal.entries(session, lines, source)
    bare = [entry.digest.hex() for entry in entries if not (entry.erased or entry.encodings)]
    if source != ENCODINGS and bare:
        lengths = session.ask(*((ENCODINGS, "LLEN", picture_id) for picture_id in bare))
        lacking = [picture_id for picture_id, length in zip(bare, lengths, strict=True) if length]
        if lacking:
            raise LackingError(
                f"picture {lacking[0]} has no encoding of the new model: encode the pictures first"
            )
    return entries


def _write(redis: RedisClient, begun: _Rebuild, end: int, entries: Sequence[Entry], faces: Faces) -> None:
    """Write the edges of a piece, unless another process has."""
    last = list({entry.digest: entry for entry in entries}.values())
    alive = [entry for entry in last if entry.encodings]
    added: list[Command] = []
    for entry, matching in zip(alive, faces.matching(alive), strict=True):
        picture_id, others = entry.digest.hex(), set(matching)
        if others:
            added.append((NEXT_MATCHES, "SADD", picture_id, *others))
            added += [(NEXT_MATCHES, "SADD", other, picture_id) for other in others]
    while True:
        with redis.session() as session:
            now = _watch(session, begun)
            if now is None or now.position >= end:
                return
            moved: Command = (HOME, "HSET", REBUILD, "position", end)
            if session.commit(moved, *_removed(session, last), *added) is not None:
                return


def _removed(session: Session, entries: Sequence[Entry]) -> list[Command]:
    """Commands that take pictures out of db 5, as far as they are in it."""
    picture_ids = [entry.digest.hex() for entry in entries]
    edges = session.ask(*((NEXT_MATCHES, "SMEMBERS", picture_id) for picture_id in picture_ids))
    return [
        command
        for picture_id, others in zip(picture_ids, edges, strict=True)
        if others
        for command in (
            (NEXT_MATCHES, "DEL", picture_id),
            *((NEXT_MATCHES, "SREM", other, picture_id) for other in others),
        )
    ]


def _finish(session: Session, data_version: DataVersion, now: _Rebuild) -> bool:
    """Swap the new edges in; False if the journal has grown meanwhile."""
    swaps: list[Command] = [(HOME, "SWAPDB", MATCHES, NEXT_MATCHES), (NEXT_MATCHES, "FLUSHDB", "ASYNC")]
    if now.source != ENCODINGS:
        swaps += [(HOME, "SWAPDB", ENCODINGS, now.source), (now.source, "FLUSHDB", "ASYNC")]
        swaps.append((HOME, "HDEL", META, "next"))
    noted = [word for pair in data_version.fields.items() for word in pair]
    ended: list[Command] = [(HOME, "DEL", REBUILD), (HOME, "HSET", META, *noted, "rebuilt", now.id)]
    return session.commit(*ended, *swaps) is not None
