"""Follows the journal and applies statements, step by step; each step is one transaction.

A step reads what is new, updates the groups in memory, and writes everything at once: groups, journal position,
statements and answers. If anything fails, the state in memory is discarded and read from Redis again. A process
that is killed at any point has therefore done each step once or not at all.

Only one process does so at a time (`groups.lease`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from faces.errors import MismatchError, StoreError
from faces.store.client import Command, RedisClient, Session
from faces.store.collection import journal
from faces.store.collection.data_version import READ_VERSION
from faces.store.collection.journal import Entry, Place, Tail
from faces.store.keys import ASKED, ENCODINGS, GROUP_STATE, GROUPS, HOME, META, SUGGESTIONS
from faces.store.people.group_record import Face
from faces.store.pictures.queries import statuses
from groups.answering.answers import Answers
from groups.answering.curation import Curation
from groups.answering.suggestions import Suggestions
from groups.answering.watching import sightings
from groups.clustering.grouping import Grouping
from groups.clustering.partition import Partition
from groups.clustering.rule import Rule
from groups.clustering.summary import Vector
from groups.lease import Lease
from groups.saved.reached import Reached, read_reached
from groups.saved.reading import BATCH, read_groups, read_homes, read_people, read_statements
from groups.saved.writing import Writer
from groups.statements.constraints import Constraints

PIECE = 500  # journal entries of a step
REQUESTS = 20  # requests of a step

log = logging.getLogger(__name__)


class LeaseLostError(StoreError):
    """Another groups process has taken over."""


class Follower:
    """The groups in memory, in the state saved in Redis. Not thread-safe.

    A step that takes long calls `beat` now and then.
    """

    def __init__(
        self,
        redis: RedisClient,
        rule: Rule,
        audit_length: int = 0,
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._redis, self._rule = redis, rule
        self._audit_length = audit_length
        self._beat = beat
        self.lease = Lease(redis)
        self._fresh: dict[Face, Vector] = {}  # encodings of the current step's entries

    @property
    def faces(self) -> int:
        """Number of grouped faces."""
        return len(self.grouping.members)

    def load(self) -> None:
        """Read the state from Redis; required before the first step and after a failed one.

        Raises:
            StoreError: Redis is unavailable, or its data is damaged.
        """
        self.partition = Partition(self._read)
        self.reached, counters = read_reached(self._redis)
        vars(self.partition).update(counters)
        read_groups(self._redis, self.partition)
        self.grouping = Grouping(self._rule, self.partition, Constraints())
        self.grouping.homes = read_homes(self._redis)
        self.statement_log = read_statements(self._redis)
        self.curation = Curation(self.grouping, self.statement_log)
        self._writer = Writer(self.grouping, self.statement_log, read_people(self._redis))
        self.suggestions = Suggestions(self.grouping)
        self._answers = Answers(self.grouping, self.curation, self._audit_length)

    def step(self) -> bool:
        """Process a batch of journal entries and requests; returns False if there were none.

        Raises:
            LeaseLostError: another process has taken over.
            MismatchError: the journal is not the one followed so far, e.g. after a restore.
            StoreError: Redis is unavailable; call `load` before the next step.
        """
        with self._redis.session() as session:
            tail, asked, model = self._look(session)
            entries = journal.entries(session, tail.lines)
            commands: list[Command] = []
            if model != self.reached.model:
                self._encodings_changed(model)
            if entries:
                self._follow(entries)
                commands += sightings(self._redis, self.grouping, entries)
            if asked:
                commands += self._answer(asked)
            news = bool(entries or asked or model != self.reached.model)
            if news:
                line = entries[-1].line if entries else self.reached.place.line
                place = Place(self.reached.place.position + len(entries), line, tail.mark)
                self.reached = Reached(place, model, self.statement_log.last)
                commands += self._writer.step(self.reached)
            self._commit(session, commands)
        return news

    def suggest(self) -> None:
        """Refresh the suggestions. Raises like `step`."""
        document = self.suggestions.document()
        with self._redis.session() as session:
            self._hold(session)
            self._commit(session, [(GROUPS, "SET", SUGGESTIONS, document)])

    def start_over(self) -> None:
        """Discard all computed groups and restart from the beginning of the journal.

        Statements survive: confirmed groups get their faces back.

        Raises:
            StoreError: Redis is unavailable; call `load` before anything else.
        """
        log.warning("the journal does not match the saved groups: regrouping from scratch")
        with self._redis.session() as session:
            self._hold(session)
            next_number = max(
                [self.partition.next_number, *(g + 1 for g in self.grouping.constraints.people)]
            )
            counters = (
                "next",
                next_number,
                "clock",
                self.partition.clock,
                "holder",
                self.lease.token,
                "afresh",
                1,
            )
            self._commit(session, [(GROUPS, "FLUSHDB"), (GROUPS, "HSET", GROUP_STATE, *counters)])
        self.load()

    def _look(self, session: Session) -> tuple[Tail, list[bytes], bytes]:
        """Watch, and read what is new: journal lines, requests, and the current model."""
        self._hold(session)
        _, asked, (_, model, _), *replies = session.ask(
            (HOME, "WATCH", META),
            (HOME, "LRANGE", ASKED, 0, REQUESTS - 1),
            READ_VERSION,
            *journal.after(self.reached.place, PIECE),
        )
        return journal.news(self.reached.place, replies), asked, model or self.reached.model

    def _hold(self, session: Session) -> None:
        """Check that this process is in charge and its memory is current; watch both."""
        _, (holder, position) = session.ask(
            (GROUPS, "WATCH", GROUP_STATE), (GROUPS, "HMGET", GROUP_STATE, "holder", "position")
        )
        if holder != self.lease.token:
            raise LeaseLostError("another groups process has taken over")
        if int(position or 0) != self.reached.place.position:
            raise MismatchError("the saved groups differ from those in memory")

    def _commit(self, session: Session, commands: Sequence[Command]) -> None:
        # one visit to each database spares the SELECTs in between
        if commands and session.commit(*sorted(commands, key=lambda command: int(command[0]))) is None:
            raise StoreError("the data changed during a step")

    def _follow(self, entries: Sequence[Entry]) -> None:
        evidence = self._evidence([entry for entry in entries if entry.encodings])
        self._fresh = {
            Face(entry.digest, place): _vector(encoding)
            for entry in entries
            for place, encoding in enumerate(entry.encodings)
        }
        for entry in entries:
            if entry.erased:
                self.curation.forget(entry.digest, time.time())
                self.grouping.erase(entry.digest)
            elif entry.encodings:
                vectors = np.array([_vector(encoding) for encoding in entry.encodings])
                self.grouping.commit(entry.digest, vectors, evidence[entry.digest])
        self._fresh = {}

    def _evidence(self, entries: Sequence[Entry]) -> dict[bytes, list[float]]:
        """The evidence of each indexed face, by its quality."""
        found = statuses(self._redis, [entry.digest.hex() for entry in entries])
        evidence = {}
        for entry, status in zip(entries, found, strict=True):
            indexed = [face for face in (status.faces if status else []) if face.get("indexed", True)]
            worth = [self._rule.worth(face.get("quality") or {}) for face in indexed]
            # if they differ, the picture was erased in the meantime: a later entry says so
            known = len(worth) == len(entry.encodings)
            evidence[entry.digest] = worth if known else [1.0] * len(entry.encodings)
        return evidence

    def _answer(self, asked: Sequence[bytes]) -> list[Command]:
        commands: list[Command] = []
        for request in asked:
            commands.append((HOME, "LREM", ASKED, 1, request))
            commands += self._answers.answer(request)
        return commands

    def _encodings_changed(self, model: bytes) -> None:
        """Recompute all summaries after a switch to another model; memberships are kept."""
        if self.reached.model:
            log.info("model changed to %s: reading %d faces again", model.decode(), self.faces)
            changed = sorted(self.partition.resummarize())
            for start in range(0, len(changed), BATCH):
                self._beat()
                self.grouping.settle(changed[start : start + BATCH])

    def _read(self, faces: Sequence[Face]) -> list[Vector | None]:
        """Encodings of faces from db 3."""
        self._beat()
        missing = [face for face in faces if face not in self._fresh]
        read: dict[Face, Any] = {}
        for start in range(0, len(missing), BATCH):
            piece = missing[start : start + BATCH]
            found = self._redis.ask(*((ENCODINGS, "LINDEX", f.picture.hex(), f.place) for f in piece))
            read.update(zip(piece, found, strict=True))
        return [
            self._fresh[face] if face in self._fresh else None if read[face] is None else _vector(read[face])
            for face in faces
        ]


def _vector(encoding: bytes) -> Vector:
    return np.frombuffer(encoding, "<f4").astype(np.float32)
