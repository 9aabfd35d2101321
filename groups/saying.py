"""What people say, and take back: the statements that stand, and how the groups come to follow them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from faces.errors import ContradictionError, UnknownError
from faces.store.group_record import Face
from groups.grouping import Grouping
from groups.history import History, Made
from groups.law import Law
from groups.statement import Statement


class Sayings:
    """The statements that stand, and the grouping that obeys them."""

    def __init__(self, grouping: Grouping, history: History) -> None:
        self.history = history
        self._grouping = grouping
        self._partition, self._members = grouping.partition, grouping.partition.members
        grouping.law = Law.of(history.standing())

    def say(self, statement: Statement, made: Made) -> Statement:
        """Follow a new statement; gives it with `made` and `was` filled in.

        Raises:
            ContradictionError: it contradicts one that stands.
            UnknownError: there is no such group or face.
        """
        self.check(statement)
        if statement.kind in {"not", "assign", "split"}:
            was = tuple(self._group(face) for face in statement.faces)
            new = None if statement.kind == "not" else self._partition.new_number()
            statement = replace(statement, was=was, made=new)
        self.history.note(statement, made)
        self._grouping.law.obey(statement)
        self._partition.bump(self._spoken_of(statement))
        if statement.made is not None:
            self._grouping.settle(self._partition.move(statement.faces, statement.made))
        elif statement.kind == "not":
            person = self._grouping.law.people[statement.groups[0]]
            self._take_out([face for face in statement.faces if self._group(face) in person.groups])
        return statement

    def withdraw(self, number: int, time: float) -> Statement:
        """Let a statement hold no longer; what follows from the others and from the rule comes about.

        Raises:
            ContradictionError: a later statement rests on it.
            UnknownError: no such statement stands.
        """
        statement = next((s for s in self.history.standing() if s.number == number), None)
        if statement is None:
            raise UnknownError(f"no statement {number} stands")
        self._check_not_rested_on(statement)
        spoken_of = self._spoken_of(statement)
        self.history.withdraw(number, time)
        self._grouping.law = Law.of(self.history.standing())
        self._partition.bump(spoken_of)
        self._put_back(statement)
        homes = [group for face in statement.faces if (group := self._members.group(face)) is not None]
        self._grouping.settle([*spoken_of, *homes])
        return statement

    def forget(self, picture: bytes, time: float) -> None:
        """Forget what was said of the faces of a picture that is erased; to be called before it is."""
        about = [s for s in self.history.standing() if any(face.picture == picture for face in s.faces)]
        spoken_of = {group for statement in about for group in self._spoken_of(statement)}
        self.history.forget(picture, time)
        if about:
            self._grouping.law = Law.of(self.history.standing())
            self._partition.bump(group for group in spoken_of if group in self._partition.table)

    def check(self, statement: Statement) -> None:
        """See that a statement can be made. Raises as `say` does."""
        for group in statement.groups:
            if group not in self._partition.table:
                raise UnknownError(f"there is no group {group}")
        for face in statement.faces:
            self._group(face)
        self._grouping.law.check(statement, [set(self.faces_of(group)) for group in statement.groups])

    def faces_of(self, group: int) -> list[Face]:
        """The faces of the person whom a group shows: of all the person's groups."""
        person = self._grouping.law.people.get(group)
        groups = [group] if person is None else person.groups
        return [face for one in groups for face in self._members.of_group(one)]

    def _spoken_of(self, statement: Statement) -> set[int]:
        """All groups of the people that a statement is about."""
        people = self._grouping.law.people
        return {g for group in statement.confirms if group in people for g in people[group].groups}

    def _group(self, face: Face) -> int:
        group = self._members.group(face)
        if group is None:
            raise UnknownError(f"there is no face {face}")
        return group

    def _check_not_rested_on(self, statement: Statement) -> None:
        if statement.made is None:
            return
        for later in self.history.standing():
            if later.number > statement.number and statement.made in (*later.groups, *later.was):
                raise ContradictionError(f"statement {later.number} rests on it: withdraw that first")

    def _take_out(self, faces: Sequence[Face]) -> None:
        """Have faces leave their groups, and belong where the rule says."""
        for face in faces:
            self._grouping.settle(self._partition.move([face], self._partition.new_number()))

    def _put_back(self, statement: Statement) -> None:
        """Bring the faces of a withdrawn statement back to where they were, as far as the others let them."""
        law = self._grouping.law
        for face, was in zip(statement.faces, statement.was, strict=bool(statement.was)):
            now, before = self._members.group(face), self._partition.current(was)
            moved_on = statement.made is not None and now != statement.made
            if now is None or now == before or moved_on or face in law.assigned:
                continue
            person = law.people.get(before)
            if person is not None and face in law.rejected(person):
                self._take_out([face])
            else:
                self._grouping.settle(self._partition.move([face], before))
