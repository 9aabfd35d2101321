"""`/v1/people`: who is in the pictures."""

from __future__ import annotations

from typing import Annotated, Self

from flask import Response
from pydantic import BaseModel, Field, model_validator

from faces import api_key
from faces.store.people import appearances
from faces.store.people import directory as store
from faces.store.people.appearances import PersonFace
from faces.store.people.directory import Position
from faces.store.pictures.evidence import described
from rest.answers import answer
from rest.contract import Box
from rest.openapi import Parameters, Routes
from rest.parts import parts
from rest.v1 import cursors
from rest.v1.cursors import CursorText
from rest.v1.person_shapes import Person, PersonId, known_person, shown
from rest.v1.shapes import Hash

people = Routes("people")


class PersonPath(Parameters):
    """The person that is asked about."""

    person: PersonId


class PeopleQuery(Parameters):
    """Which people to list."""

    hidden: bool = Field(default=False, description="List the hidden people instead")
    named: bool | None = Field(default=None, description="Only people with a name, or only those without")
    name: str = Field(
        default="", max_length=200, description="What the name begins with; case does not matter"
    )
    limit: Annotated[int, Field(ge=1, le=500)] = 50
    cursor: CursorText | None = None

    @model_validator(mode="after")
    def _a_name_is_a_name(self) -> Self:
        if self.name and self.named is False:
            raise ValueError("name finds people with a name only: leave out named=false")
        return self


class PeopleList(BaseModel):
    """A page of people, largest first. Somebody who changes meanwhile may come on two pages."""

    people: list[Person]
    total: int = Field(description="On all pages")
    next: str | None = Field(description="Cursor of the next page; null at the end")


class FacesQuery(Parameters):
    """Which part of the list."""

    limit: Annotated[int, Field(ge=1, le=500)] = 50
    cursor: CursorText | None = None


class FaceOfPerson(BaseModel):
    """A face of a person, and how far it is from the centre of its group."""

    hash: Hash
    face: int = Field(description="Number of the face in the picture, from 0")
    names: list[str] = Field(description="Of the picture")
    box: Box | None
    distance: float
    group: str = Field(description="Id of the group; a person may have several")


class FacesOfPerson(BaseModel):
    """A page of a person's faces, the most typical first."""

    person: Person
    faces: list[FaceOfPerson]
    next: str | None = Field(description="Cursor of the next page; null at the end")


@people.operation("GET", "/v1/people", scope=api_key.READ, answers={200: PeopleList})
def list_people(query: PeopleQuery) -> Response:
    """List people and groups of faces without a name, largest first."""
    after = None if query.cursor is None else Position(*cursors.decode(query.cursor, int, str))
    page = store.people(
        parts().redis,
        most=query.limit,
        after=after,
        hidden=query.hidden,
        named=query.named,
        prefix=query.name,
    )
    following = None if page.following is None else cursors.encode(list(page.following))
    return answer(PeopleList(people=shown(page.people), total=page.total, next=following))


@people.operation("GET", "/v1/people/<person>", scope=api_key.READ, answers={200: Person}, problems=(404,))
def get_person(path: PersonPath) -> Response:
    """A person. The id of a group that was merged leads to who it is part of now, whose id differs."""
    return answer(shown([known_person(path.person)])[0])


@people.operation(
    "GET", "/v1/people/<person>/faces", scope=api_key.READ, answers={200: FacesOfPerson}, problems=(404,)
)
def list_faces(path: PersonPath, query: FacesQuery) -> Response:
    """List a person's faces, nearest the centre of their group first."""
    somebody = known_person(path.person)
    found = appearances.faces(parts().redis, somebody)
    start = _start(found, query.cursor)
    page = found[start : start + query.limit]
    more = start + len(page) < len(found)
    return answer(
        FacesOfPerson(
            person=shown([somebody])[0],
            faces=_described(page),
            next=cursors.encode(list(_order(page[-1]))) if more else None,
        )
    )


def _order(face: PersonFace) -> tuple[float, str, int]:
    return face.distance, face.picture_id, face.index


def _start(found: list[PersonFace], cursor: str | None) -> int:
    if cursor is None:
        return 0
    distance, picture_id, index = cursors.decode(cursor, float, str, int)
    return sum(_order(face) <= (distance, picture_id, index) for face in found)


def _described(faces: list[PersonFace]) -> list[FaceOfPerson]:
    known = {p.picture: p for p in described(parts().redis, sorted({face.picture_id for face in faces}))}
    found = []
    for face in faces:
        picture = known[face.picture_id]
        if face.index < len(picture.numbers):  # unless it was erased meanwhile
            box = picture.boxes[face.index]
            found.append(
                FaceOfPerson(
                    hash=face.picture_id,
                    face=picture.numbers[face.index],
                    names=picture.names,
                    box=Box(**box) if box else None,
                    distance=face.distance,
                    group=face.group,
                )
            )
    return found
