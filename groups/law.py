"""What follows from the statements that stand: who the people are, and what no group may do."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from faces.errors import ContradictionError
from faces.store.group_record import Face
from groups.statement import Statement


@dataclass(slots=True)
class Person:
    """Somebody of whom something was said. The id is that of the first group."""

    id: int
    groups: list[int]
    name: str = ""
    cover: Face | None = None
    hidden: bool = False


@dataclass(slots=True)
class Law:
    """Folded from statements in their order; `people` has each group of which something was said."""

    people: dict[int, Person] = field(default_factory=dict)
    assigned: dict[Face, Statement] = field(default_factory=dict)
    unsure: set[frozenset[int]] = field(default_factory=set)
    _rejected: list[Statement] = field(default_factory=list)
    _different: list[Statement] = field(default_factory=list)
    _rejections: dict[int, set[Face]] | None = None

    @classmethod
    def of(cls, statements: Iterable[Statement]) -> Law:
        """What follows from statements that do not contradict each other."""
        law = cls()
        for statement in statements:
            law.obey(statement)
        return law

    def obey(self, statement: Statement) -> None:
        """Let one more statement hold."""
        self._rejections = None
        for group in statement.confirms:
            self.people.setdefault(group, Person(group, [group]))
        match statement.kind:
            case "name":
                self._person(statement).name = statement.name
            case "hide" | "show":
                self._person(statement).hidden = statement.kind == "hide"
            case "cover":
                self._person(statement).cover = statement.faces[0]
            case "same" | "assign":
                self._unite(*statement.confirms)
            case "different" | "split":
                self._different.append(statement)
            case "not":
                self._rejected.append(statement)
            case "unsure":
                self.unsure.add(frozenset(statement.groups))
        if statement.made is not None:
            self.assigned |= dict.fromkeys(statement.faces, statement)

    def rejected(self, person: Person) -> set[Face]:
        """The faces that were said not to show a person."""
        if self._rejections is None:
            self._rejections = defaultdict(set)
            for statement in self._rejected:
                self._rejections[self._person(statement).id].update(statement.faces)
        return self._rejections.get(person.id, set())

    def together(self, one: int, other: int) -> bool:
        """Whether two groups are of one person by what was said."""
        return one in self.people and self.people[one] is self.people.get(other)

    def apart(self, one: int, other: int) -> bool:
        """Whether somebody has said that two groups are of two people."""
        pair = {self.people[group].id for group in (one, other) if group in self.people}
        return any({side.id for side in self._sides(s)} == pair for s in self._different)

    def check(self, statement: Statement, faces: Sequence[set[Face]]) -> None:
        """See that a statement contradicts none that stands.

        Args:
            statement: what somebody wants to say.
            faces: those of the person that each of its groups shows.

        Raises:
            ContradictionError: it does; the sentence says which.
        """
        people = [self.people.get(group) for group in statement.groups]
        match statement.kind:
            case "same":
                self._check_same(people, faces)
            case "different" | "unsure":
                if people[0] is not None and people[0] is people[1]:
                    raise ContradictionError("both are the same person: withdraw that first, or split them")
            case "not":
                self._check_not(people[0], statement.faces)
            case "assign" | "split":
                self._check_assigned(people[0], statement, faces[0])
            case "cover":
                if statement.faces[0] not in faces[0]:
                    raise ContradictionError(f"face {statement.faces[0]} is not one of this person's")

    def _check_same(self, people: Sequence[Person | None], faces: Sequence[set[Face]]) -> None:
        if people[0] is not None and people[0] is people[1]:
            raise ContradictionError("both are the same person already")
        for statement in self._different:
            if {side.id for side in self._sides(statement)} == {p.id for p in people if p is not None}:
                raise ContradictionError(
                    f"statement {statement.number} says that they are two people: withdraw it first"
                )
        for person, of_other in zip(people, reversed(faces), strict=True):
            for face in self.rejected(person) & of_other if person is not None else ():
                raise ContradictionError(
                    f"face {face} is one of the one person's, and was said not to be the other: withdraw that first"
                )

    def _check_not(self, person: Person | None, faces: Iterable[Face]) -> None:
        for face in faces:
            by = self.assigned.get(face)
            if by is not None and person is not None and self.people.get(by.made or 0) is person:
                raise ContradictionError(
                    f"face {face} was assigned to this person by statement {by.number}: withdraw it first"
                )

    def _check_assigned(self, person: Person | None, statement: Statement, of_person: set[Face]) -> None:
        for face in statement.faces:
            by = self.assigned.get(face)
            if by is not None:
                raise ContradictionError(
                    f"face {face} was assigned by hand by statement {by.number}: withdraw it first"
                )
            if statement.kind == "assign" and person is not None and face in self.rejected(person):
                raise ContradictionError(f"face {face} was said not to show this person: withdraw that first")
            if (statement.kind == "split") != (face in of_person):
                raise ContradictionError(
                    f"face {face} is {'not' if statement.kind == 'split' else 'already'} one of this person's"
                )

    def _person(self, statement: Statement) -> Person:
        return self.people[statement.groups[0]]

    def _sides(self, statement: Statement) -> list[Person]:
        return [self.people[group] for group in statement.confirms]

    def _unite(self, kept: int, other: int) -> None:
        first, second = self.people[kept], self.people[other]
        if first is second:
            return
        first.groups += second.groups
        first.name = first.name or second.name
        first.cover = first.cover or second.cover
        for group in second.groups:
            self.people[group] = first
