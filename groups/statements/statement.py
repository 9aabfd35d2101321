"""Statements about groups and faces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from faces.store.people.group_record import Face

Kind = Literal["name", "same", "different", "unsure", "not", "assign", "split", "hide", "show", "cover"]

OF_TWO = {"same", "different", "unsure"}
OF_FACES = {"not", "assign", "split", "cover"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement, active until it is withdrawn; `faces.store.people.statements.NewStatement` explains the kinds.

    Attributes:
        number: counts all statements, from 1.
        kind: what it states.
        groups: the groups it is about; any group of a person represents the person.
        faces: the faces it is about.
        name: for `name` only.
        made: the group created for the faces by `assign` and `split`.
        was: the previous group of each face, for `not`, `assign` and `split`.
    """

    number: int
    kind: Kind
    groups: tuple[int, ...]
    faces: tuple[Face, ...] = ()
    name: str = ""
    made: int | None = None
    was: tuple[int, ...] = ()

    @property
    def confirms(self) -> tuple[int, ...]:
        """The groups that it confirms as people."""
        if self.kind == "unsure":
            return ()
        return self.groups if self.made is None else (*self.groups, self.made)
