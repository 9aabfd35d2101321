"""Saves what a step changed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from faces.documents import to_json
from faces.store.client import Command
from faces.store.keys import (
    GROUP_PICTURES,
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
from faces.store.people.group_record import NOBODY, Face, GroupRecord, pack_faces
from groups.clustering.grouping import Grouping
from groups.clustering.partition import Changes
from groups.saved.documents import person_document, statement_document
from groups.saved.reached import Reached, reached_command
from groups.statements.statement_log import StatementLog


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
            reached_command(reached, self._partition),
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
