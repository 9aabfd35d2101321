"""How groups grow by faces, shrink by erasures, and follow what people say.

The rule, after every event: of any two groups that may be one, none are within their limit (`groups.rule`). Two
groups may be one unless somebody has said of each who it shows, or of a face of the one that it does not show the
other's person, or they share too many pictures. A group that somebody has spoken of never becomes part of another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from faces.store.group_record import Face
from groups.law import Law, Person
from groups.partition import Partition
from groups.rule import Rule
from groups.table import Summary, Vector

NEVER = -1.0


class Neighbour(NamedTuple):
    """A group near another: the distance, and up to where they would be joined; negative where they may not be."""

    group: int
    distance: float
    limit: float


class Grouping:
    """Keeps a partition to the rule and the law. It belongs to one thread."""

    def __init__(self, rule: Rule, partition: Partition, law: Law) -> None:
        self.rule = rule
        self.partition = partition
        self.law = law
        self.homes: dict[Face, int] = {}  # where faces are to be put when groups are made anew
        self.table, self.members = partition.table, partition.members

    def commit(self, picture: bytes, encodings: Vector, evidence: Sequence[float]) -> None:
        """Group the faces of a new picture, (n, 128). One that is known already stays where it is."""
        if picture in self.members:
            return
        faces = [
            Summary(1, encoding, 0.0, worth) for encoding, worth in zip(encodings, evidence, strict=True)
        ]
        groups: list[int] = []
        for index, face in enumerate(faces):
            groups.append(self._place(Face(picture, index), face, groups))
        self.partition.add(picture, faces, groups)
        self.settle(groups)

    def erase(self, picture: bytes) -> None:
        """Forget a picture."""
        self.settle(self.partition.remove(picture))

    def settle(self, groups: Iterable[int]) -> None:
        """Merge groups that have changed with others as long as the rule says so."""
        for group in sorted(set(groups)):
            now = self.partition.current(group)
            while (mate := self.mate(now)) is not None:
                now = self._merge(now, mate)

    def neighbours(self, group: int, reach: float) -> list[Neighbour]:
        """The other groups within a distance, nearest first."""
        return [
            near._replace(limit=self._allowed(group, near))
            for near in self._near(self.table[group], reach)
            if near.group != group
        ]

    def around(self, summary: Summary) -> list[Neighbour]:
        """Groups near some faces, nearest first, up to where people are asked."""
        return self._near(summary, self.rule.reach(self.partition.seen))

    def usual_limit(self, one: int, other: int) -> float:
        """The limit between two groups by evidence and size alone."""
        evidence = np.array([self.table[other].evidence])
        return float(self.rule.limits(self.table[one].evidence, evidence, self.partition.seen)[0])

    def reason(self, group: int, near: Neighbour) -> str:
        """Why a group and one near some of its faces are not one."""
        ours, theirs = self.law.people.get(group), self.law.people.get(near.group)
        if self.law.apart(group, near.group):
            return "somebody has said that they are two people"
        if self._rejected(group, theirs) or self._rejected(near.group, ours):
            return "somebody has said that a face is not this person"
        if near.distance > near.limit:
            return "too far"
        if ours is not None and theirs is not None:
            return "of both somebody has said who they are"
        return "its group as a whole is too far, or shown beside it in pictures"

    def _place(self, face: Face, summary: Summary, mates: Sequence[int]) -> int:
        """The group that a new face belongs to; a new one where none is near enough."""
        if face in self.homes:
            return self.homes[face]
        for near in self._near(summary, self.rule.top(self.partition.seen)):
            person = self.law.people.get(near.group)
            surely = 0.0 if person is None else self.rule.surely
            rejected = person is not None and face in self.law.rejected(person)
            beside = near.group in mates and near.distance > self.rule.same_picture
            if near.distance <= near.limit - surely and not rejected and not beside:
                return near.group
        return self.partition.new_number()

    def mate(self, group: int) -> int | None:
        """The nearest group that a group must be merged with; None where the rule holds."""
        if group not in self.table:
            return None
        near = self._near(self.table[group], self.rule.top(self.partition.seen))
        return next(
            (one.group for one in near if one.group != group and one.distance <= self._allowed(group, one)),
            None,
        )

    def _merge(self, one: int, other: int) -> int:
        """Make two groups one: what was spoken of stays, else the larger, else the older."""
        kept, gone = sorted((one, other), key=self._rank)
        self.partition.merge(kept, gone)
        return kept

    def _rank(self, group: int) -> tuple[bool, int, int]:
        return group not in self.law.people, -self.members.count(group), group

    def _near(self, summary: Summary, reach: float) -> list[Neighbour]:
        """Groups within a distance, nearest first, with the limits by evidence and size alone."""
        numbers, distances, evidence = self.table.near(summary, reach)
        limits = self.rule.limits(summary.evidence, evidence, self.partition.seen)
        order = np.lexsort((numbers, distances))
        columns = (numbers[order].tolist(), distances[order].tolist(), limits[order].tolist())
        return [Neighbour(*row) for row in zip(*columns, strict=True)]

    def _allowed(self, group: int, near: Neighbour) -> float:
        """The limit by what people have said, too, and by the pictures that show both."""
        ours, theirs = self.law.people.get(group), self.law.people.get(near.group)
        if ours is not None and theirs is not None:
            return NEVER
        limit = near.limit - self.rule.surely * (ours is not theirs)
        if near.distance > limit or self._rejected(group, theirs) or self._rejected(near.group, ours):
            return limit if near.distance > limit else NEVER
        return limit if self._may_share(group, near) else min(limit, self.rule.same_picture)

    def _rejected(self, group: int, person: Person | None) -> bool:
        """Whether somebody has said of a group's face that it does not show a person."""
        if person is None:
            return False
        return any(self.members.group(face) == group for face in self.law.rejected(person))

    def _may_share(self, group: int, near: Neighbour) -> bool:
        if near.distance <= self.rule.same_picture:
            return True
        smaller = min(self.members.count(group), self.members.count(near.group))
        return self.members.shared(group, near.group) <= self.rule.shared * smaller
