"""The client's methods about people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import quote

from facefleet.documents import Documents
from facefleet.people_models import FaceId, Kind, Person, PersonFace, Statement, Suggestion

Who = Person | str
"""A person, or the id of one. A `Person` that has changed since is refused: `stale`."""


class People(Documents):
    """Who is in the pictures. Whatever changes people is a statement, which `undo` withdraws."""

    def people(
        self, *, name: str | None = None, named: bool | None = None, hidden: bool = False
    ) -> Iterator[Person]:
        """People and groups without a name, largest first; the pages are fetched as they are needed.

        Args:
            name: what the name begins with, in capitals or not.
            named: only those with a name, or only those without.
            hidden: the hidden people instead.
        """
        query = {"name": name, "named": _word(named), "hidden": _word(hidden), "limit": 500}
        return map(Person.of, self._pages("/v1/people", "people", **query))

    def person(self, person_id: str) -> Person:
        """A person by id; that of a merged group leads to who it is part of now."""
        return Person.of(self._get(f"/v1/people/{quote(person_id)}"))

    def faces_of(self, person: Who) -> Iterator[PersonFace]:
        """A person's faces, the most typical first; the pages are fetched as they are needed."""
        return map(PersonFace.of, self._pages(f"/v1/people/{quote(_id(person))}/faces", "faces", limit=500))

    def suggestions(self, person: Who | None = None, *, limit: int = 20) -> list[Suggestion]:
        """Pairs who may be one person, the most useful question first; `merge` or `separate` answers."""
        about = None if person is None else _id(person)
        found = self._get("/v1/suggestions", person=about, limit=limit)["suggestions"]
        return [Suggestion.of(document) for document in found]

    def why(self, picture_id: str, face: int) -> dict[str, Any]:
        """Why a face is in its group: `person`, `distance`, `statements` about it, and who else is `near`."""
        return self._get(f"/v1/images/{quote(picture_id)}/faces/{face}/why")

    def state(self, kind: Kind, *people: Who, faces: Sequence[FaceId] = (), name: str = "") -> Statement:
        """Make a statement of any kind.

        Raises:
            RefusedError: `stale`, a person has changed since; `contradiction`, an earlier statement says otherwise;
                `not_found`, `bad_statement`.
            UnavailableError: no groups process answers.
        """
        document = {
            "kind": kind,
            "people": [_id(person) for person in people],
            "faces": [{"hash": face.hash, "face": face.face} for face in faces],
            "name": name,
            "versions": {person.id: person.version for person in people if isinstance(person, Person)},
        }
        return Statement.of(self._post("/v1/statements", json=document))

    def name(self, person: Who, name: str) -> Statement:
        """Name a person; "" takes the name away."""
        return self.state("name", person, name=name)

    def merge(self, person: Who, other: Who) -> Statement:
        """Both are one person, who keeps the first one's id, name and cover."""
        return self.state("same", person, other)

    def separate(self, person: Who, other: Who) -> Statement:
        """They are two people."""
        return self.state("different", person, other)

    def reject(self, person: Who, faces: Sequence[FaceId]) -> Statement:
        """These faces are not this person."""
        return self.state("not", person, faces=faces)

    def assign(self, person: Who, faces: Sequence[FaceId]) -> Statement:
        """These faces are this person."""
        return self.state("assign", person, faces=faces)

    def split(self, person: Who, faces: Sequence[FaceId]) -> Statement:
        """These faces of the person are somebody else: of the group `made`."""
        return self.state("split", person, faces=faces)

    def hide(self, person: Who) -> Statement:
        """Leave a person out of lists."""
        return self.state("hide", person)

    def show(self, person: Who) -> Statement:
        """Show a hidden person again."""
        return self.state("show", person)

    def cover(self, person: Who, face: FaceId) -> Statement:
        """Have a face represent its person."""
        return self.state("cover", person, faces=[face])

    def undo(self, statement: Statement | int) -> Statement:
        """Withdraw a statement: people become what the remaining ones say."""
        number = statement.number if isinstance(statement, Statement) else statement
        return Statement.of(self._delete(f"/v1/statements/{number}"))

    def history(self) -> Iterator[Statement]:
        """All statements ever made, the latest first; the pages are fetched as they are needed."""
        return map(Statement.of, self._pages("/v1/statements", "statements", limit=500))


def _id(person: Who) -> str:
    return person.id if isinstance(person, Person) else person


def _word(given: bool | None) -> str | None:
    return None if given is None else str(given).lower()
