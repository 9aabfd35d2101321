"""*The* transaction: what a worker found goes into all databases or into none.

Two workers that each compared with "all known faces" before either wrote would miss each other's faces. So the
journal is watched; what others committed since the worker last read it is compared with the new faces; then one
MULTI writes everything. If someone commits in between, EXEC does nothing, and only the new tail of the journal
is compared before the next try. An EXEC whose reply is lost is safe to repeat: the status document, watched as
well, tells whether it happened.

Workers commit one at a time, so everything that can be is done before: serialising the status documents, which
takes longer than all the rest, and comparing the faces known so far.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from faces.store.client import Command, RedisClient, Session
from faces.store.collection import commit_lock, journal
from faces.store.collection.data_version import READ_VERSION, DataVersion
from faces.store.collection.journal import Entry, Mark, Place, Tail
from faces.store.events import stream, watches
from faces.store.keys import (
    ENCODINGS,
    HOME,
    JOURNAL,
    MATCHES,
    META,
    pending_key,
    status_key,
)
from faces.store.pictures.finish import finishing
from faces.store.pictures.names import NameClaim, claims_of, resolve
from faces.store.pictures.outcome import Outcome, outcome_of
from faces.store.pictures.status import Status, done

CatchUp = Callable[[Sequence[Entry], Collection[str]], Sequence[Collection[str]]]
"""Called with the journal's new tail, and which of the batch's pictures are about to be committed.

Returns for each picture the hashes of all others with a matching face, among those committed before and those about
to be. Another of the batch counts only if it is one of these: what this worker found in it is not what is stored.
"""


@dataclass(frozen=True, slots=True)
class DetectionResult:
    """What a worker found in a picture: `faces` for the status document, and the encodings of the indexed ones."""

    picture_id: str
    faces: list[dict[str, Any]] = field(default_factory=list)
    encodings: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Committed:
    """Outcomes, one per picture; how often EXEC was retried; the journal's mark, if faces were written."""

    outcomes: list[Outcome]
    retries: int
    mark: Mark | None = None


def commit(
    redis: RedisClient,
    found: Sequence[DetectionResult],
    data_version: DataVersion,
    place: Callable[[], Place],
    catch_up: CatchUp,
) -> Committed:
    """Write pictures with different hashes in one transaction.

    Args:
        redis: the Redis client.
        found: what was found in each picture.
        data_version: what the encodings were made with and are compared by.
        place: returns how far the journal has been followed; called before each try.
        catch_up: called with what follows in the journal, before each try.

    Raises:
        MismatchError: the data has another version now, or the journal is another one; nothing was written.
        StoreError: Redis is unavailable; nothing or everything was written, and calling again is safe.
    """
    drafts = _Drafts(data_version.model)
    drafts.write(found, *redis.ask((HOME, "MGET", *(status_key(f.picture_id) for f in found))))
    give_turn = commit_lock.take(redis)
    retries, seen = 0, Mark()
    while True:
        with redis.session() as session:
            now = place()
            watched = _watch(session, found, data_version, now._replace(mark=max(now.mark, seen)))
            seen = watched.tail.mark
            committed = _try(session, found, watched, drafts=drafts, catch_up=catch_up, give_turn=give_turn)
        if committed is not None:
            return replace(committed, retries=retries)
        retries += 1


class _Drafts:
    """The next status document of each picture: serialised once, for as long as its present one stays the same."""

    def __init__(self, model: str) -> None:
        self._model = model
        self._drafts: dict[bytes | None, tuple[Outcome, str]] = {None: (Outcome.GONE, "")}

    def write(
        self, found: Sequence[DetectionResult], documents: Sequence[bytes | None]
    ) -> list[tuple[Outcome, str]]:
        """Return the outcome for each picture that has this document now, and its next document."""
        for f, document in zip(found, documents, strict=True):
            if document not in self._drafts:
                self._drafts[document] = self._draft(f, Status.from_json(document))
        return [self._drafts[document] for document in documents]

    def _draft(self, found: DetectionResult, before: Status | None) -> tuple[Outcome, str]:
        outcome = outcome_of(before)
        if before is None or outcome is not Outcome.DONE:
            return outcome, ""
        return outcome, done(before, self._model, found.faces).to_json()


class _Watched(NamedTuple):
    """What is watched, as it is now: the pictures' status documents and pending names, and the journal's tail.

    `watches` are the documents of people's own watches, which are read and not watched.
    """

    documents: list[bytes | None]
    claims: list[list[NameClaim]]
    tail: Tail
    entries: list[Entry]
    watches: list[bytes]


def _try(
    session: Session,
    found: Sequence[DetectionResult],
    watched: _Watched,
    *,
    drafts: _Drafts,
    catch_up: CatchUp,
    give_turn: Sequence[Command],
) -> Committed | None:
    drafted = drafts.write(found, watched.documents)
    outcomes = [outcome for outcome, _ in drafted]
    ours = {
        f.picture_id: document
        for f, (outcome, document) in zip(found, drafted, strict=True)
        if outcome is Outcome.DONE
    }
    edges = catch_up(watched.entries, ours)
    if not ours:
        session.confirm(*give_turn)
        return Committed(outcomes, 0)
    claims = [s for f, sent in zip(found, watched.claims, strict=True) if f.picture_id in ours for s in sent]
    with_faces = [number for number, f in enumerate(found) if f.picture_id in ours and f.encodings]
    mark = journal.new_mark(watched.tail.mark) if with_faces else None
    commands = [
        *finishing(ours, "done"),
        *_faces([found[number] for number in with_faces], [edges[number] for number in with_faces], mark),
        *resolve(session, claims),
        *_events(
            session,
            watched.watches,
            found,
            dict(zip((f.picture_id for f in found), edges, strict=True)),
            ours,
        ),
        *give_turn,
    ]
    # grouped by database: each change of database costs a SELECT
    if session.commit(*sorted(commands, key=lambda command: int(command[0]))) is None:
        return None
    return Committed(outcomes, 0, mark)


def _watch(
    session: Session, found: Sequence[DetectionResult], data_version: DataVersion, place: Place
) -> _Watched:
    picture_ids = [f.picture_id for f in found]
    status_keys = [status_key(p) for p in picture_ids]
    read_journal = journal.after(place)
    _, stored, watching, documents, *replies = session.ask(
        (HOME, "WATCH", META, JOURNAL, *status_keys, *(pending_key(p) for p in picture_ids)),
        READ_VERSION,
        watches.READ,
        (HOME, "MGET", *status_keys),
        *read_journal,
        *((HOME, "HGETALL", pending_key(p)) for p in picture_ids),
    )
    data_version.check(stored)
    tail = journal.news(place, replies[: len(read_journal)])
    claims = [
        claims_of(picture_id, flat)
        for picture_id, flat in zip(picture_ids, replies[len(read_journal) :], strict=True)
    ]
    return _Watched(documents, claims, tail, journal.entries(session, tail.lines), watching)


def _events(
    session: Session,
    watching: Sequence[bytes],
    found: Sequence[DetectionResult],
    edges: Mapping[str, Collection[str]],
    ours: Collection[str],
) -> list[Command]:
    """Commands that add the events of the pictures that become done."""
    matches = {picture_id: edges[picture_id] for picture_id in ours}
    seen = watches.sightings(session, watching, matches) if watching else []
    return [
        *(
            stream.finished(f.picture_id, len(f.faces), len(matches[f.picture_id]))
            for f in found
            if f.picture_id in matches
        ),
        *(stream.matched(s.picture_id, s.matching, s.watches) for s in seen),
    ]


def _faces(
    found: Sequence[DetectionResult], edges: Sequence[Iterable[str]], mark: Mark | None
) -> list[Command]:
    """Commands for pictures with faces; an edge is written at both its ends."""
    if mark is None:
        return []
    matches: defaultdict[str, set[str]] = defaultdict(set)
    for f, matching in zip(found, edges, strict=True):
        for other in matching:
            matches[f.picture_id].add(other)
            matches[other].add(f.picture_id)
    return [
        *journal.committed(mark, *(f.picture_id for f in found)),
        (ENCODINGS, "DEL", *(f.picture_id for f in found)),
        *((ENCODINGS, "RPUSH", f.picture_id, *f.encodings) for f in found),
        *((MATCHES, "SADD", picture_id, *others) for picture_id, others in matches.items()),
    ]
