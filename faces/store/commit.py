"""*The* transaction: how what a worker found comes into the databases, in all of them or in none.

Two workers that each compared with "all known faces" before either wrote would miss each other's faces. So the
journal is watched; what others committed since the worker last read it is compared with the new faces; then one
MULTI writes everything. If someone commits in between, EXEC does nothing, and only the new tail of the journal
is compared before the next try. An EXEC whose reply is lost is safe to repeat: the status document, watched as
well, tells whether it took place.

Workers come one after the other here, so whatever can be done before the turn is done before: the status documents,
which take longer to write than all the rest, and what is known of the faces.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, NamedTuple

from faces.store import commit_lock, events, journal, watches
from faces.store.client import Command, RedisClient, Session
from faces.store.data_version import READ_VERSION, DataVersion
from faces.store.journal import Entry, Place
from faces.store.keys import (
    ATTEMPTS,
    COUNTS,
    ENCODINGS,
    HOME,
    INFLIGHT,
    JOURNAL,
    MATCHES,
    META,
    pending_key,
    status_key,
)
from faces.store.names import NameClaim, settle
from faces.store.status import Status, done, failed

CatchUp = Callable[[Sequence[Entry], Collection[str]], Sequence[Collection[str]]]
"""Takes the journal's new tail, and which of the batch's pictures are about to be committed.

Gives for each picture the hashes of all others with a matching face, of those committed before and those about to
be. Another of the batch counts only if it is one of these: what this worker found in it is not what is stored.
"""


@dataclass(frozen=True, slots=True)
class DetectionResult:
    """What a worker found in a picture: `faces` for the status document, and the encodings of the indexed ones."""

    picture_id: str
    faces: list[dict[str, Any]] = field(default_factory=list)
    encodings: tuple[bytes, ...] = ()


class Outcome(Enum):
    """What became of a picture in a commit."""

    DONE = "done"
    ALREADY = "already done or failed before"
    GONE = "erased or withdrawn before it was done"


@dataclass(frozen=True, slots=True)
class Committed:
    """Outcomes, one a picture, and how often EXEC found the journal or a picture changed."""

    outcomes: list[Outcome]
    retries: int


def commit(
    redis: RedisClient,
    found: Sequence[DetectionResult],
    data_version: DataVersion,
    place: Callable[[], Place],
    catch_up: CatchUp,
) -> Committed:
    """Write pictures with different hashes in one transaction.

    Args:
        redis: the connection to Redis.
        found: what was found in each picture.
        data_version: what made the encodings, and what they are compared with.
        place: up to where the journal has been followed; it is asked before each try.
        catch_up: called with what the journal has from there on, before each try.

    Raises:
        MismatchError: the data is no longer made with the same, or the journal is another one; nothing has been
            written.
        StoreError: Redis is away; nothing or everything has been written, and calling again is safe.
    """
    drafts = _Drafts(data_version.model)
    drafts.write(found, *redis.ask((HOME, "MGET", *(status_key(f.picture_id) for f in found))))
    give_turn = commit_lock.take(redis)
    retries = 0
    while True:
        with redis.session() as session:
            watched = _watch(session, found, data_version, place())
            outcomes = _try(session, found, watched, drafts=drafts, catch_up=catch_up, give_turn=give_turn)
        if outcomes is not None:
            return Committed(outcomes, retries)
        retries += 1


def fail(redis: RedisClient, picture_id: str, code: str, reason: str) -> Outcome:
    """Mark an accepted picture as failed for good, with a stable code and a sentence."""
    while True:
        with redis.session() as session:
            _, document, names = session.ask(
                (HOME, "WATCH", status_key(picture_id), pending_key(picture_id)),
                (HOME, "GET", status_key(picture_id)),
                (HOME, "HVALS", pending_key(picture_id)),
            )
            status = Status.from_json(document)
            if status is None or status.state != "pending":
                return _outcome(status)
            shown = sorted({name.decode() for name in names})
            commands = [
                *_finishing({picture_id: failed(status, code, reason, shown).to_json()}, "failed"),
                events.note("failed", picture_id, "code", code, "reason", reason),
            ]
            if session.commit(*commands) is not None:
                return Outcome.DONE


class _Drafts:
    """What follows on each status document that was read: written once, as long as the document stays."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._drafts: dict[bytes | None, tuple[Outcome, str]] = {None: (Outcome.GONE, "")}

    def write(
        self, found: Sequence[DetectionResult], documents: Sequence[bytes | None]
    ) -> list[tuple[Outcome, str]]:
        """The outcome for each picture that has this document now, and its document when it is done."""
        for f, document in zip(found, documents, strict=True):
            if document not in self._drafts:
                self._drafts[document] = self._draft(f, Status.from_json(document))
        return [self._drafts[document] for document in documents]

    def _draft(self, found: DetectionResult, before: Status | None) -> tuple[Outcome, str]:
        outcome = _outcome(before)
        if before is None or outcome is not Outcome.DONE:
            return outcome, ""
        return outcome, done(before, self._model, found.faces).to_json()


class _Watched(NamedTuple):
    """What is watched, as it is now: the pictures' documents and the sendings that wait, and the journal's tail.

    And the documents of people's own watches, which are read and not watched.
    """

    documents: list[bytes | None]
    claims: list[list[NameClaim]]
    tail: list[Entry]
    watches: list[bytes]


def _try(
    session: Session,
    found: Sequence[DetectionResult],
    watched: _Watched,
    *,
    drafts: _Drafts,
    catch_up: CatchUp,
    give_turn: Sequence[Command],
) -> list[Outcome] | None:
    drafted = drafts.write(found, watched.documents)
    outcomes = [outcome for outcome, _ in drafted]
    ours = {
        f.picture_id: document
        for f, (outcome, document) in zip(found, drafted, strict=True)
        if outcome is Outcome.DONE
    }
    matches = catch_up(watched.tail, ours)
    if not ours:
        session.ask(*give_turn)
        return outcomes
    claims = [s for f, sent in zip(found, watched.claims, strict=True) if f.picture_id in ours for s in sent]
    with_faces = [number for number, f in enumerate(found) if f.picture_id in ours and f.encodings]
    commands = [
        *_finishing(ours, "done"),
        *_faces([found[number] for number in with_faces], [matches[number] for number in with_faces]),
        *settle(session, claims),
        *_telling(
            session,
            watched.watches,
            {
                f.picture_id: matching
                for f, matching in zip(found, matches, strict=True)
                if f.picture_id in ours
            },
            {f.picture_id: len(f.faces) for f in found},
        ),
        *give_turn,
    ]
    # one visit to each database spares the SELECTs in between
    if session.commit(*sorted(commands, key=lambda command: int(command[0]))) is None:
        return None
    return outcomes


def _watch(
    session: Session, found: Sequence[DetectionResult], data_version: DataVersion, place: Place
) -> _Watched:
    picture_ids = [f.picture_id for f in found]
    status_keys = [status_key(p) for p in picture_ids]
    _, stored, lines, watching, documents, *waiting = session.ask(
        (HOME, "WATCH", META, JOURNAL, *status_keys, *(pending_key(p) for p in picture_ids)),
        READ_VERSION,
        journal.after(place),
        watches.READ,
        (HOME, "MGET", *status_keys),
        *((HOME, "HGETALL", pending_key(p)) for p in picture_ids),
    )
    data_version.check(stored)
    claims = [
        [
            NameClaim(int(number), name.decode(), picture_id)
            for number, name in zip(flat[::2], flat[1::2], strict=True)
        ]
        for picture_id, flat in zip(picture_ids, waiting, strict=True)
    ]
    return _Watched(documents, claims, journal.entries(session, journal.news(place, lines)), watching)


def _outcome(status: Status | None) -> Outcome:
    if status is None:
        return Outcome.GONE
    return Outcome.DONE if status.state == "pending" else Outcome.ALREADY


def _finishing(documents: Mapping[str, str], counter: str) -> list[Command]:
    """Commands that give pictures their last status documents."""
    picture_ids = list(documents)
    return [
        (
            HOME,
            "MSET",
            *(word for picture_id in picture_ids for word in (status_key(picture_id), documents[picture_id])),
        ),
        (HOME, "HINCRBY", COUNTS, counter, len(picture_ids)),
        (HOME, "ZREM", INFLIGHT, *picture_ids),
        (HOME, "HDEL", ATTEMPTS, *picture_ids),
        (HOME, "DEL", *map(pending_key, picture_ids)),
    ]


def _telling(
    session: Session,
    watching: Sequence[bytes],
    edges: Mapping[str, Collection[str]],
    faces: Mapping[str, int],
) -> list[Command]:
    """Commands that tell readers of events of the pictures that become done."""
    seen = watches.sightings(session, watching, edges) if watching else []
    return [
        *(events.finished(picture_id, faces[picture_id], len(edges[picture_id])) for picture_id in edges),
        *(events.matched(s.picture_id, s.matching, s.watches) for s in seen),
    ]


def _faces(found: Sequence[DetectionResult], edges: Sequence[Iterable[str]]) -> list[Command]:
    """Commands for pictures with faces; an edge is written at both its ends."""
    if not found:
        return []
    matches: defaultdict[str, set[str]] = defaultdict(set)
    for f, matching in zip(found, edges, strict=True):
        for other in matching:
            matches[f.picture_id].add(other)
            matches[other].add(f.picture_id)
    return [
        journal.committed(*(f.picture_id for f in found)),
        (ENCODINGS, "DEL", *(f.picture_id for f in found)),
        *((ENCODINGS, "RPUSH", f.picture_id, *f.encodings) for f in found),
        *((MATCHES, "SADD", picture_id, *others) for picture_id, others in matches.items()),
    ]
