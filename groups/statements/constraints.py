"""The constraints that active statements put on groups: who the people are, and what must not be merged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from faces.errors import ContradictionError
from faces.store.people.group_record import Face
from groups.statements.statement import Statement


@dataclass(slots=True)
class Person:
    """A confirmed person: the groups that statements attribute to them. The id is that of the first group."""

    id: int
    groups: list[int]
    name: str = ""
    cover: Face | None = None
    hidden: bool = False


@dataclass(slots=True)
class Constraints:
    """Folded from statements in order; `people` maps each confirmed group to its person."""

    people: dict[int, Person] = field(default_factory=dict)
    assigned: dict[Face, Statement] = field(default_factory=dict)
    unsure: set[frozenset[int]] = field(default_factory=set)
    _rejected: list[Statement] = field(default_factory=list)
    _different: list[Statement] = field(default_factory=list)
    _rejections: dict[int, set[Face]] | None = None

    @classmethod
    def of(cls, statements: Iterable[Statement]) -> Constraints:
        """Fold statements that do not contradict each other."""
        constraints = cls()
        for statement in statements:
            constraints.add(statement)
        return constraints

    def add(self, statement: Statement) -> None:
        """Apply one more statement."""
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
        """Faces that are not this person according to a statement."""
        if self._rejections is None:
            self._rejections = defaultdict(set)
            for statement in self._rejected:
                self._rejections[self._person(statement).id].update(statement.faces)
        return self._rejections.get(person.id, set())

    def together(self, one: int, other: int) -> bool:
        """Tell whether two groups belong to the same confirmed person."""
        return one in self.people and self.people[one] is self.people.get(other)

    def apart(self, one: int, other: int) -> bool:
        """Tell whether a statement keeps the people of two groups apart."""
        pair = {self.people[group].id for group in (one, other) if group in self.people}
        return any({side.id for side in self._sides(s)} == pair for s in self._different)

    def check(self, statement: Statement, faces: Sequence[set[Face]]) -> None:
        """Check a new statement against the active ones.

        Args:
            statement: the new one.
            faces: all faces of the person of each of its groups.

        Raises:
            ContradictionError: they contradict each other; the message says how.
        """
        people = [self.people.get(group) for group in statement.groups]
        match statement.kind:
            case "same":
                self._check_same(people, faces)
            case "different" | "unsure":
                if people[0] is not None and people[0] is people[1]:
                    raise ContradictionError(
                        "both are the same person: withdraw that statement first, or split them"
                    )
            case "not":
                self._check_not(people[0], statement.faces)
            case "assign" | "split":
                self._check_assigned(people[0], statement, faces[0])
            case "cover":
                if statement.faces[0] not in faces[0]:
                    raise ContradictionError(f"face {statement.faces[0]} does not belong to this person")

    def _check_same(self, people: Sequence[Person | None], faces: Sequence[set[Face]]) -> None:
        if people[0] is not None and people[0] is people[1]:
            raise ContradictionError("they are already the same person")
        for statement in self._different:
            if {side.id for side in self._sides(statement)} == {p.id for p in people if p is not None}:
                raise ContradictionError(
                    f"statement {statement.number} says they are two people: withdraw it first"
                )
        for person, of_other in zip(people, reversed(faces), strict=True):
            for face in self.rejected(person) & of_other if person is not None else ():
                raise ContradictionError(
                    f"a statement says that face {face} of one of them is not the other: withdraw it first"
                )

    def _check_not(self, person: Person | None, faces: Iterable[Face]) -> None:
        for face in faces:
            by = self.assigned.get(face)
            if by is not None and person is not None and self.people.get(by.made or 0) is person:
                raise ContradictionError(
                    f"statement {by.number} assigned face {face} to this person: withdraw it first"
                )

    def _check_assigned(self, person: Person | None, statement: Statement, of_person: set[Face]) -> None:
        for face in statement.faces:
            by = self.assigned.get(face)
            if by is not None:
                raise ContradictionError(
                    f"statement {by.number} assigned face {face} already: withdraw it first"
                )
            if statement.kind == "assign" and person is not None and face in self.rejected(person):
                raise ContradictionError(
                    f"a statement says that face {face} is not this person: withdraw it first"
                )
            if (statement.kind == "split") != (face in of_person):
                belongs = "belongs already" if face in of_person else "does not belong"
                raise ContradictionError(f"face {face} {belongs} to this person")

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
