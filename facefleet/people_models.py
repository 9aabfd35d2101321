"""What the client gives about people. Times are Unix seconds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from facefleet.models import Box, Document, Read, box_of

Kind = Literal["name", "same", "different", "unsure", "not", "assign", "split", "hide", "show", "cover"]


@dataclass(frozen=True, slots=True)
class FaceId(Read):
    """A face: the hash of its picture, and its number there, from 0."""

    hash: str
    face: int


@dataclass(frozen=True, slots=True)
class Person(Read):
    """A person, or a group of faces without a name.

    Attributes:
        id: stable while the person grows.
        name: "" for nobody named yet.
        faces: how many.
        version: changes with everything except new faces.
        confirmed: whether there is any statement about this person.
        hidden: left out of lists.
        cover: the face that represents the person.
    """

    id: str
    name: str
    faces: int
    version: int
    confirmed: bool
    hidden: bool
    cover: FaceId | None

    @classmethod
    def of(cls, document: Document) -> Person:
        """Read a JSON document."""
        cover = document["cover"]
        return super(Person, cls).of({**document, "cover": None if cover is None else FaceId.of(cover)})


@dataclass(frozen=True, slots=True)
class PersonFace(FaceId):
    """A face of a person; `distance` is that to the centre of its group, `names` are its picture's."""

    names: list[str]
    box: Box | None
    distance: float
    group: str

    @classmethod
    def of(cls, document: Document) -> PersonFace:
        """Read a JSON document."""
        return super(PersonFace, cls).of({**document, "box": box_of(document["box"])})


@dataclass(frozen=True, slots=True)
class Suggestion(Read):
    """Two people who may be one.

    Attributes:
        first, second: the two.
        distance: root mean squared distance between their faces.
        limit: up to which distance they would have been merged without asking.
        faces: how many faces an answer settles.
        shared: how many pictures show both.
        first_faces, second_faces: their least typical faces.
    """

    first: Person
    second: Person
    distance: float
    limit: float
    faces: int
    shared: int
    first_faces: list[FaceId]
    second_faces: list[FaceId]

    @classmethod
    def of(cls, document: Document) -> Suggestion:
        """Read a JSON document."""
        people = {side: Person.of(document[side]) for side in ("first", "second")}
        faces = {side: list(map(FaceId.of, document[side])) for side in ("first_faces", "second_faces")}
        return super(Suggestion, cls).of({**document, **people, **faces})


@dataclass(frozen=True, slots=True)
class Statement(Read):
    """What somebody said about people; `made` is the group that `assign` or `split` made.

    `withdrawn` is when it was withdrawn, None while it holds; `key` is the id of its author's API key.
    """

    number: int
    kind: Kind
    people: list[str]
    faces: list[FaceId]
    name: str
    time: float
    key: str
    made: str | None
    withdrawn: float | None

    @classmethod
    def of(cls, document: Document) -> Statement:
        """Read a JSON document."""
        return super(Statement, cls).of({**document, "faces": list(map(FaceId.of, document["faces"]))})
