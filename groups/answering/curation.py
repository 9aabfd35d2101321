"""Applies statements to groups, and withdraws them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from faces.errors import ContradictionError, UnknownError
from faces.store.people.group_record import Face
from groups.clustering.grouping import Grouping
from groups.statements.constraints import Constraints
from groups.statements.statement import Statement
from groups.statements.statement_log import Provenance, StatementLog


class Curation:
    """The statement log and the grouping that complies with it."""

    def __init__(self, grouping: Grouping, statement_log: StatementLog) -> None:
        self.statement_log = statement_log
        self._grouping = grouping
        self._partition, self._members = grouping.partition, grouping.partition.members
        grouping.constraints = Constraints.of(statement_log.standing())

    def apply(self, statement: Statement, provenance: Provenance) -> Statement:
        """Apply a new statement; returns it with `made` and `was` filled in.

        Raises:
            ContradictionError: it contradicts an active one.
            UnknownError: no such group or face.
        """
        self.check(statement)
        if statement.kind in {"not", "assign", "split"}:
            was = tuple(self._group(face) for face in statement.faces)
            new = None if statement.kind == "not" else self._partition.new_number()
            statement = replace(statement, was=was, made=new)
        self.statement_log.note(statement, provenance)
        self._grouping.constraints.add(statement)
        self._partition.bump(self._confirmed_groups(statement))
        if statement.made is not None:
            self._grouping.settle(self._partition.move(statement.faces, statement.made))
        elif statement.kind == "not":
            person = self._grouping.constraints.people[statement.groups[0]]
            self._take_out([face for face in statement.faces if self._group(face) in person.groups])
        return statement

    def withdraw(self, number: int, time: float) -> Statement:
        """Withdraw a statement: the groups become what the other statements and the rule demand.

        Raises:
            ContradictionError: a later statement depends on it.
            UnknownError: no such statement is active.
        """
        statement = next((s for s in self.statement_log.standing() if s.number == number), None)
        if statement is None:
            raise UnknownError(f"statement {number} is not active")
        self._check_independent(statement)
        confirmed = self._confirmed_groups(statement)
        self.statement_log.withdraw(number, time)
        self._grouping.constraints = Constraints.of(self.statement_log.standing())
        self._partition.bump(confirmed)
        self._put_back(statement)
        homes = [group for face in statement.faces if (group := self._members.group(face)) is not None]
        self._grouping.settle([*confirmed, *homes])
        return statement

    def forget(self, picture: bytes, time: float) -> None:
        """Remove the faces of a picture from all statements; call it before the picture is erased."""
        homes = self._grouping.homes
        self._grouping.homes = {face: group for face, group in homes.items() if face.picture != picture}
        about = [s for s in self.statement_log.standing() if any(face.picture == picture for face in s.faces)]
        confirmed = {group for statement in about for group in self._confirmed_groups(statement)}
        self.statement_log.forget(picture, time)
        if about:
            self._grouping.constraints = Constraints.of(self.statement_log.standing())
            self._partition.bump(group for group in confirmed if group in self._partition.table)

    def check(self, statement: Statement) -> None:
        """Check that a statement can be applied. Raises like `apply`."""
        for group in statement.groups:
            if group not in self._partition.table:
                raise UnknownError(f"there is no group {group}")
        for face in statement.faces:
            self._group(face)
        self._grouping.constraints.check(statement, [set(self.faces_of(group)) for group in statement.groups])

    def faces_of(self, group: int) -> list[Face]:
        """All faces of the person that a group belongs to."""
        person = self._grouping.constraints.people.get(group)
        groups = [group] if person is None else person.groups
        return [face for one in groups for face in self._members.of_group(one)]

    def _confirmed_groups(self, statement: Statement) -> set[int]:
        """All groups of the people that a statement is about."""
        people = self._grouping.constraints.people
        return {g for group in statement.confirms if group in people for g in people[group].groups}

    def _group(self, face: Face) -> int:
        group = self._members.group(face)
        if group is None:
            raise UnknownError(f"there is no face {face}")
        return group

    def _check_independent(self, statement: Statement) -> None:
        if statement.made is None:
            return
        for later in self.statement_log.standing():
            if later.number > statement.number and statement.made in (*later.groups, *later.was):
                raise ContradictionError(f"statement {later.number} depends on it: withdraw that one first")

    def _take_out(self, faces: Sequence[Face]) -> None:
        """Remove faces from their groups and let the rule place them."""
        for face in faces:
            self._grouping.settle(self._partition.move([face], self._partition.new_number()))

    def _put_back(self, statement: Statement) -> None:
        """Return the faces of a withdrawn statement to their previous groups, unless other statements forbid it."""
        constraints = self._grouping.constraints
        for face, was in zip(statement.faces, statement.was, strict=bool(statement.was)):
            now, before = self._members.group(face), self._partition.current(was)
            moved_on = statement.made is not None and now != statement.made
            if now is None or now == before or moved_on or face in constraints.assigned:
                continue
            person = constraints.people.get(before)
            if person is not None and face in constraints.rejected(person):
                self._take_out([face])
            else:
                self._grouping.settle(self._partition.move([face], before))
