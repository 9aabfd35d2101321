"""The saved state in Redis: written with every step in one transaction, read at start.

Computed groups are in db 7, statements in db 0 (`faces.store.keys`). The journal position is written together with
the groups, so a process that was killed resumes exactly where it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from faces.documents import from_json, to_json
from faces.store.client import Command, RedisClient
from faces.store.collection.journal import Mark, Place
from faces.store.keys import (
    GROUP_PICTURES,
    GROUP_STATE,
    GROUPS,
    HIDDEN,
    HOME,
    MERGED,
    PEOPLE,
    SHOWN,
    STATEMENTS,
    confirmed_key,
    group_faces_key,
    group_key,
)
from faces.store.people.group_record import NOBODY, Face, GroupRecord, pack_faces, unpack_faces
from groups.clustering.grouping import Grouping
from groups.clustering.partition import Changes, Partition
from groups.clustering.summary import Summary
from groups.documents import person_document, statement_document, statement_from
from groups.statements.statement_log import StatementLog

PIECE = 2000  # keys read in one round trip
FIELDS = ("position", "line", "marks", "mark", "seen", "next", "clock", "last", "model")


class Reached(NamedTuple):
    """What the saved groups reflect.

    Attributes:
        place: position in the journal.
        model: the model of the encodings.
        last: number of the latest statement.
    """

    place: Place
    model: bytes
    last: int


def read_statements(redis: RedisClient) -> StatementLog:
    """Read all statements."""
    (documents,) = redis.ask((HOME, "HVALS", STATEMENTS))
    read = [statement_from(from_json(document)) for document in documents]
    return StatementLog({statement.number: (statement, made) for statement, made in read})


def read_people(redis: RedisClient) -> dict[int, str]:
    """Read the documents of people, by id."""
    (found,) = redis.ask((GROUPS, "HGETALL", PEOPLE))
    return {int(a): b.decode() for a, b in zip(found[::2], found[1::2], strict=True)}


def read_reached(redis: RedisClient) -> tuple[Reached, dict[str, int]]:
    """Read what the saved groups reflect, and the partition's counters."""
    (values,) = redis.ask((GROUPS, "HMGET", GROUP_STATE, *FIELDS))
    position, line, marks, mark, seen, following, clock, last, model = (value or b"" for value in values)
    place = Place(int(position or 0), line, Mark(int(marks or 0), mark))
    reached = Reached(place, model, int(last or 0))
    return reached, {"seen": int(seen or 0), "next_number": int(following or 1), "clock": int(clock or 0)}


def read_groups(redis: RedisClient, partition: Partition) -> None:
    """Read all saved groups into an empty partition; takes a few seconds for 100,000."""
    homes: dict[bytes, dict[int, tuple[int, float]]] = {}
    for numbers in _group_numbers(redis):
        replies = redis.ask(
            *((GROUPS, "GET", group_key(number)) for number in numbers),
            *((GROUPS, "GET", group_faces_key(number)) for number in numbers),
        )
        for number, record, faces in zip(numbers, replies, replies[len(numbers) :], strict=False):
            _put(partition, number, GroupRecord.unpack(record))
            for face, worth in unpack_faces(faces or b""):
                homes.setdefault(face.picture, {})[face.place] = number, worth
    for picture, places in homes.items():
        rows = [places[place] for place in sorted(places)]
        partition.members.add(picture, [group for group, _ in rows], [worth for _, worth in rows])
    (merged,) = redis.ask((GROUPS, "HGETALL", MERGED))
    partition.successors = {int(a): int(b) for a, b in zip(merged[::2], merged[1::2], strict=True)}


def read_homes(redis: RedisClient) -> dict[Face, int]:
    """The confirmed groups of faces after a fresh start: those that they had at the latest statement."""
    (afresh,), statements = redis.ask((GROUPS, "HMGET", GROUP_STATE, "afresh"), (HOME, "HVALS", STATEMENTS))
    if not afresh:
        return {}
    confirmed = {group for text in statements for group in statement_from(from_json(text))[0].confirms}
    groups = sorted(confirmed)
    found = redis.ask(*((HOME, "GET", confirmed_key(group)) for group in groups)) if groups else []
    return {
        face: group
        for group, faces in zip(groups, found, strict=True)
        for face, _ in unpack_faces(faces or b"")
    }


def _put(partition: Partition, number: int, record: GroupRecord) -> None:
    centroid = np.frombuffer(record.centroid, "<f4").astype(np.float32)
    partition.table[number] = Summary(record.size, centroid, record.spread, record.evidence)
    if record.version:
        partition.versions[number] = record.version


def _group_numbers(redis: RedisClient) -> Iterator[list[int]]:
    cursor: Any = b"0"
    prefix = len(group_key(0)) - 1
    seen: set[int] = set()
    while True:
        ((cursor, keys),) = redis.ask((GROUPS, "SCAN", cursor, "MATCH", "group:*", "COUNT", PIECE))
        numbers = {int(key[prefix:]) for key in keys} - seen  # SCAN may return a key twice
        seen |= numbers
        if numbers:
            yield sorted(numbers)
        if cursor == b"0":
            return


class Writer:
    """Builds the commands that save a step."""

    def __init__(self, grouping: Grouping, statement_log: StatementLog, documents: dict[int, str]) -> None:
        self._grouping, self._statement_log = grouping, statement_log
        self._partition = grouping.partition
        self._documents = documents  # of people, as last written

    def step(self, reached: Reached) -> list[Command]:
        """Commands for everything that changed since the last step."""
        changes, said = self._partition.drain(), sorted(self._statement_log.drain())
        return [
            *self._groups(changes),
            *self._pictures(changes),
            *self._confirmed(changes, said),
            *self._people(changes, everybody=bool(said)),
            self._state(reached),
        ]

    def _groups(self, changes: Changes) -> Iterator[Command]:
        table, members = self._partition.table, self._partition.members
        for group in sorted(changes.groups | changes.rewritten):
            if group not in table:
                yield (GROUPS, "DEL", group_key(group), group_faces_key(group))
                continue
            yield (GROUPS, "SET", group_key(group), self._record(group))
            if group in changes.rewritten:
                yield (GROUPS, "SET", group_faces_key(group), self._faces(members.of_group(group)))
            elif group in changes.appended:
                yield (GROUPS, "APPEND", group_faces_key(group), self._faces(changes.appended[group]))
        if changes.successors:
            yield (GROUPS, "HSET", MERGED, *(n for pair in changes.successors.items() for n in pair))
        if again := sorted(group for group in changes.rewritten if group in table):
            yield (GROUPS, "HDEL", MERGED, *again)

    def _record(self, group: int) -> bytes:
        summary = self._partition.table[group]
        person = self._grouping.constraints.people.get(group)
        return GroupRecord(
            summary.count,
            self._partition.versions.get(group, 0),
            NOBODY if person is None else person.id,
            summary.evidence,
            summary.spread,
            summary.centroid.astype("<f4").tobytes(),
        ).pack()

    def _faces(self, faces: Sequence[Face]) -> bytes:
        return pack_faces((face, self._partition.members.evidence(face)) for face in faces)

    def _pictures(self, changes: Changes) -> Iterator[Command]:
        members = self._partition.members
        there = {picture: members.of_picture(picture) for picture in sorted(changes.pictures)}
        fields = [
            word
            for picture, groups in there.items()
            if groups
            for word in (picture, np.array(groups, "<i8").tobytes())
        ]
        if fields:
            yield (GROUPS, "HSET", GROUP_PICTURES, *fields)
        if gone := [picture for picture, groups in there.items() if not groups]:
            yield (GROUPS, "HDEL", GROUP_PICTURES, *gone)

    def _confirmed(self, changes: Changes, numbers: Sequence[int]) -> Iterator[Command]:
        people = self._grouping.constraints.people
        touched: set[int] = set()
        for number in numbers:
            statement, made = self._statement_log.every[number]
            yield (HOME, "HSET", STATEMENTS, number, to_json(statement_document(statement, made)))
            touched.update(statement.confirms)
        awaited = self._grouping.awaited()
        for group in sorted(touched | (changes.rewritten & people.keys())):
            faces = self._partition.members.of_group(group)
            if group in people and (faces or group in awaited):
                stored = self._faces(faces) + pack_faces((face, 1.0) for face in awaited.get(group, ()))
                yield (HOME, "SET", confirmed_key(group), stored)
            else:
                yield (HOME, "DEL", confirmed_key(group))

    def _people(self, changes: Changes, *, everybody: bool) -> Iterator[Command]:
        """Documents and list positions of changed people."""
        people, table = self._grouping.constraints.people, self._partition.table
        touched = {people[group].id for group in changes.groups & people.keys()}
        if everybody:
            touched |= {*people, *self._documents}
        for number in sorted(changes.groups - people.keys()):
            size = self._partition.members.count(number)
            yield (GROUPS, "ZREM", HIDDEN, number)
            yield (
                (GROUPS, "ZADD", SHOWN, size, number) if number in table else (GROUPS, "ZREM", SHOWN, number)
            )
        for number in sorted(touched):
            yield from self._person(number)
        for number in sorted(n for n in changes.groups & people.keys() if people[n].id != n):
            yield (GROUPS, "ZREM", SHOWN, number)
            yield (GROUPS, "ZREM", HIDDEN, number)

    def _person(self, number: int) -> Iterator[Command]:
        person = self._grouping.constraints.people.get(number)
        if person is None or person.id != number:
            if self._documents.pop(number, None) is not None:
                yield (GROUPS, "HDEL", PEOPLE, number)
            return
        values = person_document(person, self._partition)
        document = to_json(values)
        if self._documents.get(number) == document:
            return
        self._documents[number] = document
        shown, other = (HIDDEN, SHOWN) if person.hidden else (SHOWN, HIDDEN)
        yield (GROUPS, "HSET", PEOPLE, number, document)
        yield (GROUPS, "ZREM", other, number)
        if values["count"]:
            yield (GROUPS, "ZADD", shown, values["count"], number)
        else:
            yield (GROUPS, "ZREM", shown, number)

    def _state(self, reached: Reached) -> Command:
        partition = self._partition
        values = (
            reached.place.position,
            reached.place.line,
            *reached.place.mark,
            partition.seen,
            partition.next_number,
            partition.clock,
            reached.last,
            reached.model,
        )
        pairs = zip(FIELDS, values, strict=True)
        return (GROUPS, "HSET", GROUP_STATE, *(word for pair in pairs for word in pair))
