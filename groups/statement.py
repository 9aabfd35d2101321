"""What people say of groups and faces, and what contradicts it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from faces.store.group_record import Face

Kind = Literal["name", "same", "different", "unsure", "not", "assign", "split", "hide", "show", "cover"]

OF_TWO = {"same", "different", "unsure"}
OF_FACES = {"not", "assign", "split", "cover"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement. It stands until it is withdrawn.

    - `name`: the person that the group shows is called `name`; two people may share one, and "" takes it away.
    - `same`: two groups show one person, who keeps the first one's name, cover and id.
    - `different`: two groups show two people.
    - `unsure`: whoever was asked about two groups could not tell, and is not asked again.
    - `not`: the faces do not show the group's person.
    - `assign`: the faces show the group's person.
    - `split`: the faces show one person, another than the rest of the group.
    - `hide`, `show`: the person is left out of lists, or no longer.
    - `cover`: the face stands for the person.

    Attributes:
        number: 1 for the first statement ever made.
        kind: see above.
        groups: what it is about; any group of a person stands for the person.
        faces: likewise.
        name: only of `name`.
        made: the group made for the faces, of `assign` and `split`.
        was: the group that each of the faces was in before.
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
        """The groups of which somebody has said who they show."""
        if self.kind == "unsure":
            return ()
        return self.groups if self.made is None else (*self.groups, self.made)
