"""What `/v1` answers about people. Faces are numbered as in their pictures, not as in the store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Annotated

from pydantic import BaseModel, Field
from werkzeug.exceptions import NotFound

from faces.store.people import appearances
from faces.store.people import directory as store
from faces.store.people.directory import Person as StoredPerson
from faces.store.people.group_record import Face
from faces.store.pictures import queries
from rest.openapi import Parameters
from rest.parts import parts
from rest.v1.shapes import Hash

PersonId = Annotated[
    str, Field(pattern=r"^[0-9]{1,18}$", description="Id of a person or of any of their groups")
]


class FaceId(Parameters):
    """A face of a picture."""

    hash: Hash
    face: int = Field(strict=True, ge=0, le=100_000, description="Number of the face in the picture, from 0")


class Person(BaseModel):
    """A person, or a group of faces that nobody has said anything about yet."""

    id: str
    name: str = Field(description='"" for nobody named yet')
    faces: int
    version: int = Field(description="To be sent with a statement; new faces alone do not change it")
    confirmed: bool = Field(description="Whether there is any statement about this person")
    hidden: bool
    cover: FaceId | None = Field(description="The face that represents the person")


def shown(people: Sequence[StoredPerson]) -> list[Person]:
    """People as they are answered."""
    covers = appearances.covers(parts().redis, people)
    face_ids = FaceIds([face for face in covers if face is not None])
    return [
        Person(
            id=somebody.id,
            name=somebody.name,
            faces=somebody.count,
            version=somebody.version,
            confirmed=somebody.confirmed,
            hidden=somebody.hidden,
            cover=None if cover is None else face_ids[cover],
        )
        for somebody, cover in zip(people, covers, strict=True)
    ]


def known_person(identity: str) -> StoredPerson:
    """Look up a person.

    Raises:
        NotFound: there is none with this id.
    """
    somebody = store.person(parts().redis, identity)
    if somebody is None:
        raise NotFound(f"there is no person {identity}")
    return somebody


class FaceIds:
    """Translates between faces in the store, which counts indexed faces only, and in answers, which count all."""

    def __init__(self, faces: Iterable[Face | FaceId]) -> None:
        pictures = sorted({_picture(face) for face in faces})
        statuses = queries.statuses(parts().redis, pictures)
        self._numbers = {
            picture: [number for number, _ in status.indexed] if status else []
            for picture, status in zip(pictures, statuses, strict=True)
        }

    def __getitem__(self, face: Face) -> FaceId:
        """The face in answers; of a picture erased meanwhile, its number in the store."""
        numbers = self._numbers[face.picture.hex()]
        return FaceId(
            hash=face.picture.hex(), face=numbers[face.place] if face.place < len(numbers) else face.place
        )

    def stored(self, face: FaceId) -> Face:
        """The face in the store.

        Raises:
            NotFound: there is no such face, or it is not indexed.
        """
        numbers = self._numbers[face.hash]
        if face.face not in numbers:
            raise NotFound(f"picture {face.hash} has no indexed face {face.face}")
        return Face(bytes.fromhex(face.hash), numbers.index(face.face))


def _picture(face: Face | FaceId) -> str:
    return face.picture.hex() if isinstance(face, Face) else face.hash
