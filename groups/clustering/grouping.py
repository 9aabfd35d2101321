"""Incremental clustering: faces join the nearest group, and groups that come within their limit are merged.

The invariant, after every event: no two groups that may be merged are within their limit
(`groups.clustering.rule`). Two groups may be merged unless both are confirmed by statements, or a statement says
that a face of one is not the other's person. A confirmed group is never absorbed by another. This is
average-linkage clustering by mean squared distances, done one face at a time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from faces.store.people.group_record import Face
from groups.clustering.partition import Partition
from groups.clustering.rule import Rule
from groups.clustering.summary import Summary, Vector
from groups.statements.constraints import Constraints, Person

NEVER = -1.0


class Neighbour(NamedTuple):
    """A group near another, and the limit up to which the two are merged; negative if they must not be."""

    group: int
    distance: float
    limit: float


class Grouping:
    """Keeps a partition to the rule and the constraints. Not thread-safe."""

    def __init__(self, rule: Rule, partition: Partition, constraints: Constraints) -> None:
        self.rule = rule
        self.partition = partition
        self.constraints = constraints
        self.homes: dict[Face, int] = {}  # groups that faces return to after a fresh start
        self.table, self.members = partition.table, partition.members

    def commit(self, picture: bytes, encodings: Vector, evidence: Sequence[float]) -> None:
        """Group the faces of a new picture, (n, 128). A known picture is left as it is."""
        if picture in self.members:
            return
        faces = [
            Summary(1, encoding, 0.0, worth) for encoding, worth in zip(encodings, evidence, strict=True)
        ]
        groups: list[int] = []
        for index, face in enumerate(faces):
            groups.append(self._place(Face(picture, index), face, groups))
        alone = len(groups) == 1 and groups[0] not in self.table
        self.partition.add(picture, faces, groups)
        if not alone:  # a new group of one face has just been compared with all others
            self.settle(groups)

    def erase(self, picture: bytes) -> None:
        """Remove a picture."""
        self.settle(self.partition.remove(picture))

    def awaited(self) -> dict[int, list[Face]]:
        """Faces that have not come back to their groups yet after a fresh start."""
        found: dict[int, list[Face]] = {}
        for face, group in self.homes.items():
            if self.members.group(face) is None:
                found.setdefault(group, []).append(face)
        return found

    def settle(self, groups: Iterable[int]) -> None:
        """Merge changed groups with others until the rule holds again."""
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
        """Groups near some faces, nearest first, within the reach of suggestions."""
        return self._near(summary, self.rule.reach(self.partition.seen))

    def usual_limit(self, one: int, other: int) -> float:
        """The limit between two groups by evidence and size alone."""
        evidence = np.array([self.table[other].evidence])
        return float(self.rule.limits(self.table[one].evidence, evidence, self.partition.seen)[0])

    def reason(self, group: int, near: Neighbour) -> str:
        """Why a group and one that is near some of its faces are not merged."""
        ours, theirs = self.constraints.people.get(group), self.constraints.people.get(near.group)
        if self.constraints.apart(group, near.group):
            return "a statement says they are two people"
        if self._rejected(group, theirs) or self._rejected(near.group, ours):
            return "a statement says that a face is not this person"
        if near.distance > near.limit:
            return "too far"
        if ours is not None and theirs is not None:
            return "both are confirmed people"
        return "its group as a whole is too far away, or appears in the same pictures"

    def _place(self, face: Face, summary: Summary, mates: Sequence[int]) -> int:
        """The group that a new face joins; a new one if none is near enough."""
        if face in self.homes:
            return self.homes[face]
        for near in self._near(summary, self.rule.most(summary.evidence, self.partition.seen)):
            person = self.constraints.people.get(near.group)
            surely = 0.0 if person is None else self.rule.surely
            rejected = person is not None and face in self.constraints.rejected(person)
            beside = near.group in mates and near.distance > self.rule.same_picture
            if near.distance <= near.limit - surely and not rejected and not beside:
                return near.group
        return self.partition.new_number()

    def mate(self, group: int) -> int | None:
        """The nearest group that a group has to be merged with; None if the rule holds."""
        if group not in self.table:
            return None
        summary = self.table[group]
        near = self._near(summary, self.rule.most(summary.evidence, self.partition.seen))
        return next(
            (one.group for one in near if one.group != group and one.distance <= self._allowed(group, one)),
            None,
        )

    def _merge(self, one: int, other: int) -> int:
        """Merge two groups: a confirmed one survives, else the larger, else the older."""
        kept, gone = sorted((one, other), key=self._rank)
        self.partition.merge(kept, gone)
        return kept

    def _rank(self, group: int) -> tuple[bool, int, int]:
        return group not in self.constraints.people, -self.members.count(group), group

    def _near(self, summary: Summary, reach: float) -> list[Neighbour]:
        """Groups within a distance, nearest first, with limits by evidence and collection size alone."""
        numbers, distances, evidence = self.table.near(summary, reach)
        limits = self.rule.limits(summary.evidence, evidence, self.partition.seen)
        order = np.lexsort((numbers, distances))
        columns = (numbers[order].tolist(), distances[order].tolist(), limits[order].tolist())
        return [Neighbour(*row) for row in zip(*columns, strict=True)]

    def _allowed(self, group: int, near: Neighbour) -> float:
        """The limit after statements and shared pictures are taken into account."""
        ours, theirs = self.constraints.people.get(group), self.constraints.people.get(near.group)
        if ours is not None and theirs is not None:
            return NEVER
        limit = near.limit - self.rule.surely * (ours is not theirs)
        if near.distance > limit or self._rejected(group, theirs) or self._rejected(near.group, ours):
            return limit if near.distance > limit else NEVER
        return limit if self._may_share(group, near) else min(limit, self.rule.same_picture)

    def _rejected(self, group: int, person: Person | None) -> bool:
        """Tell whether a face of a group is not a person according to a statement."""
        if person is None:
            return False
        return any(self.members.group(face) == group for face in self.constraints.rejected(person))

    def _may_share(self, group: int, near: Neighbour) -> bool:
        if near.distance <= self.rule.same_picture:
            return True
        smaller = min(self.members.count(group), self.members.count(near.group))
        return self.members.shared(group, near.group) <= self.rule.shared * smaller
