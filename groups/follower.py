"""Follows the journal and what people say, step by step; each step is one transaction.

A step reads what is new, works it out in memory, and writes all of it at once: the groups and up to where they
are, the statements, the answers. If that fails in any way, what is in memory is thrown away and read from Redis
again. So a process that is killed at any point has done each step once or not at all.

Only one process may do so (`groups.lease`).
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from faces.documents import from_json
from faces.errors import MismatchError, StoreError
from faces.store import journal
from faces.store.client import Command, RedisClient, Session
from faces.store.data_version import READ_VERSION
from faces.store.group_record import Face
from faces.store.journal import Entry, Place
from faces.store.keys import ASKED, ENCODINGS, GROUP_STATE, GROUPS, HOME, META, SUGGESTIONS
from faces.store.queries import statuses
from groups import saved
from groups.answers import Answers
from groups.grouping import Grouping
from groups.law import Law
from groups.lease import Lease
from groups.partition import Partition
from groups.rule import Rule
from groups.saved import Reached, Writer
from groups.saying import Sayings
from groups.suggestions import Suggestions
from groups.table import Vector

PIECE = 500  # journal entries of a step
REQUESTS = 20  # requests of a step

log = logging.getLogger(__name__)


class LeaseLostError(StoreError):
    """Another process keeps the groups now."""


class Follower:
    """The groups in memory, at the state that Redis has. It belongs to one thread."""

    def __init__(self, redis: RedisClient, rule: Rule, audit_length: int = 0) -> None:
        self._redis, self._rule = redis, rule
        self._audit_length = audit_length
        self.lease = Lease(redis)
        self._fresh: dict[Face, Vector] = {}  # encodings of the entries of this step

    @property
    def faces(self) -> int:
        """How many faces are grouped."""
        return len(self.grouping.members)

    def load(self) -> None:
        """Read everything from Redis; to be called before the first step, and after one that failed.

        Raises:
            StoreError: Redis is away, or its data is damaged.
        """
        self.partition = Partition(self._read)
        self.reached, counters = saved.read_reached(self._redis)
        vars(self.partition).update(counters)
        saved.read_groups(self._redis, self.partition)
        self.grouping = Grouping(self._rule, self.partition, Law())
        self.history = saved.read_statements(self._redis)
        self.sayings = Sayings(self.grouping, self.history)
        self._writer = Writer(self.grouping, self.history, saved.read_people(self._redis))
        self.suggestions = Suggestions(self.grouping)
        self._answers = Answers(self.grouping, self.sayings, self._audit_length)

    def step(self) -> bool:
        """Take in a piece of what is new; False where there is nothing.

        Raises:
            LeaseLostError: another process keeps the groups.
            MismatchError: the journal is another one than was followed.
            StoreError: Redis is away; `load` before the next step.
        """
        with self._redis.session() as session:
            lines, asked, model = self._look(session)
            entries = journal.entries(session, lines)
            commands: list[Command] = []
            if model != self.reached.model:
                self._encodings_changed(model)
            if entries:
                self._follow(entries)
            if asked:
                commands += self._answer(asked)
            news = bool(entries or asked or model != self.reached.model)
            if news:
                line = entries[-1].line if entries else self.reached.place.line
                place = Place(self.reached.place.position + len(entries), line)
                self.reached = Reached(place, model, self.history.last)
                commands += self._writer.step(self.reached)
            self._commit(session, commands)
        return news

    def suggest(self) -> None:
        """Write anew what people may be asked. Raises as `step` does."""
        document = self.suggestions.document()
        with self._redis.session() as session:
            self._hold(session)
            self._commit(session, [(GROUPS, "SET", SUGGESTIONS, document)])

    def start_afresh(self) -> None:
        """Drop what is computed and begin with the journal's start; what people said finds its faces again.

        Raises:
            StoreError: Redis is away; `load` before anything else.
        """
        log.warning("the journal is another one than the groups have followed: they are made anew")
        with self._redis.session() as session:
            self._hold(session)
            said = saved.read_said(self._redis, sorted(self.grouping.law.people))
            next_number = max([self.partition.next_number, *(g + 1 for g in self.grouping.law.people)])
            counters = ("next", next_number, "clock", self.partition.clock, "holder", self.lease.token)
            self._commit(session, [(GROUPS, "FLUSHDB"), (GROUPS, "HSET", GROUP_STATE, *counters)])
        self.load()
        self.grouping.homes = said

    def _look(self, session: Session) -> tuple[Sequence[bytes], list[bytes], bytes]:
        """Watch, and read what is new: journal lines, requests, and the model in force."""
        self._hold(session)
        _, lines, asked, (_, model, _) = session.ask(
            (HOME, "WATCH", META),
            journal.after(self.reached.place, PIECE),
            (HOME, "LRANGE", ASKED, 0, REQUESTS - 1),
            READ_VERSION,
        )
        return journal.news(self.reached.place, lines), asked, model or self.reached.model

    def _hold(self, session: Session) -> None:
        """See that this process keeps the groups, and that they are as in memory; watch that it stays so."""
        _, (holder, position) = session.ask(
            (GROUPS, "WATCH", GROUP_STATE), (GROUPS, "HMGET", GROUP_STATE, "holder", "position")
        )
        if holder != self.lease.token:
            raise LeaseLostError("another process keeps the groups now")
        if int(position or 0) != self.reached.place.position:
            raise MismatchError("the saved groups are others than those in memory")

    def _commit(self, session: Session, commands: Sequence[Command]) -> None:
        # one visit to each database spares the SELECTs in between
        if commands and session.commit(*sorted(commands, key=lambda command: int(command[0]))) is None:
            raise StoreError("the data has changed while a step was made")

    def _follow(self, entries: Sequence[Entry]) -> None:
        evidence = self._evidence([entry for entry in entries if entry.encodings])
        self._fresh = {
            Face(entry.digest, place): _vector(encoding)
            for entry in entries
            for place, encoding in enumerate(entry.encodings)
        }
        for entry in entries:
            if entry.erased:
                self.sayings.forget(entry.digest, time.time())
                self.grouping.erase(entry.digest)
            elif entry.encodings:
                vectors = np.array([_vector(encoding) for encoding in entry.encodings])
                self.grouping.commit(entry.digest, vectors, evidence[entry.digest])
        self._fresh = {}

    def _evidence(self, entries: Sequence[Entry]) -> dict[bytes, list[float]]:
        """How many good faces each indexed face of pictures is worth, by its quality."""
        found = statuses(self._redis, [entry.digest.hex() for entry in entries])
        evidence = {}
        for entry, status in zip(entries, found, strict=True):
            indexed = [face for face in (status.faces if status else []) if face.get("indexed", True)]
            worth = [self._rule.worth(face.get("quality") or {}) for face in indexed]
            # no status, or another: the picture has been erased meanwhile, which a later line tells
            known = len(worth) == len(entry.encodings)
            evidence[entry.digest] = worth if known else [1.0] * len(entry.encodings)
        return evidence

    def _answer(self, asked: Sequence[bytes]) -> list[Command]:
        commands: list[Command] = []
        for request in asked:
            commands.append((HOME, "LREM", ASKED, 1, request))
            commands += self._answers.answer(from_json(request))
        return commands

    def _encodings_changed(self, model: bytes) -> None:
        """Summarize all groups anew where another model has been put in force: who is in which stays."""
        if self.reached.model:
            log.info("model %s is in force now: %d faces are read again", model.decode(), self.faces)
            self.grouping.settle(self.partition.resummarize())

    def _read(self, faces: Sequence[Face]) -> list[Vector | None]:
        """Encodings of faces, as db 3 has them now."""
        missing = [face for face in faces if face not in self._fresh]
        read: dict[Face, Any] = {}
        for start in range(0, len(missing), saved.PIECE):
            piece = missing[start : start + saved.PIECE]
            found = self._redis.ask(*((ENCODINGS, "LINDEX", f.picture.hex(), f.place) for f in piece))
            read.update(zip(piece, found, strict=True))
        return [
            self._fresh[face] if face in self._fresh else None if read[face] is None else _vector(read[face])
            for face in faces
        ]


def _vector(encoding: bytes) -> Vector:
    return np.frombuffer(encoding, "<f4").astype(np.float32)
