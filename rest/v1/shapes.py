"""What `/v1` answers about pictures and faces."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import NotFound

from faces.store.client import RedisClient
from faces.store.people import appearances
from faces.store.people.directory import Person
from faces.store.pictures import listing, queries
from faces.store.pictures.listing import PictureRecord
from faces.store.pictures.status import Status
from rest.contract import Box
from rest.openapi import Parameters
from rest.parts import parts

HASH = r"^[0-9a-f]{64}$"
Hash = Annotated[str, Field(pattern=HASH, description="SHA-256 of the picture's bytes, in lower-case hex")]
State = Literal["pending", "done", "failed", "damaged"]
LONGEST_WAIT = 60.0  # seconds
Wait = Annotated[
    float, Field(ge=0, le=LONGEST_WAIT, description="Seconds to wait until the pictures are finished")
]


class ImagePath(Parameters):
    """The picture that is asked about."""

    hash: Hash


class PersonName(BaseModel):
    """A person, or a group of faces without a name."""

    id: str
    name: str = Field(description='"" for nobody named yet')


Owners = Mapping[tuple[str, int], PersonName]
"""Whose a face is, by the hash of its picture and its number there."""


class Face(BaseModel):
    """A face of a picture. Depending on the settings it also has `landmarks`, `age` and `gender`."""

    model_config = ConfigDict(extra="allow")

    index: int = Field(description="Number of the face in the picture, from 0")
    box: Box | None = None
    quality: dict[str, float] | None = None
    indexed: bool = Field(description="Whether the face is compared with others")
    reason: str | None = Field(default=None, description="Why it is not indexed")
    person: PersonName | None = Field(
        default=None, description="Whose it is; null: not indexed, or not grouped yet"
    )


class Size(BaseModel):
    """Of the file in bytes, and in pixels as stored, before the picture is turned upright."""

    bytes: int
    width: int
    height: int
    format: str


class Image(BaseModel):
    """A picture; times are Unix seconds."""

    hash: Hash
    state: State
    names: list[str]
    accepted: float
    finished: float | None
    size: Size | None = Field(description="null for a picture accepted by an earlier release")
    model: str | None = Field(description="The face encoder that was used")
    code: str | None = Field(description="Why it failed, for programs")
    reason: str | None = Field(description="Why it failed, for people")
    matches: int = Field(description="How many other pictures show a matching face")
    faces: list[Face]


def image_of(redis: RedisClient, record: PictureRecord) -> Image:
    """What is known of a picture, and whose faces it shows."""
    return images_of(redis, [record])[0]


def images_of(redis: RedisClient, records: Sequence[PictureRecord]) -> list[Image]:
    """What is known of pictures, and whose faces they show."""
    owners = _owners(redis, [record.status for record in records])
    return [_image(record, owners) for record in records]


def owners_in(redis: RedisClient, picture_ids: Collection[str]) -> Owners:
    """Whose the faces in pictures are; a face that is not grouped yet is left out."""
    found = queries.statuses(redis, sorted(picture_ids))
    return _owners(redis, [status for status in found if status is not None])


def named(person: Person) -> PersonName:
    """A person as faces tell of one."""
    return PersonName(id=person.id, name=person.name)


def known(picture_id: str) -> PictureRecord:
    """What is known of a picture; see `record_of`."""
    return record_of(parts().redis, picture_id)


def record_of(redis: RedisClient, picture_id: str) -> PictureRecord:
    """What is known of a picture.

    Raises:
        NotFound: nothing.
        StoreError: Redis is unavailable.
    """
    (record,) = listing.records(redis, [picture_id])
    if record is None:
        raise NotFound("no picture with this hash is known: it was never accepted, or was erased")
    return record


def _owners(redis: RedisClient, statuses: Sequence[Status]) -> Owners:
    shown = [status for status in statuses if status.faces]
    people = appearances.of_pictures(redis, [status.hash for status in shown])
    return {
        (status.hash, number): named(person)
        for status, some in zip(shown, people, strict=True)
        for (number, _), person in zip(status.indexed, some, strict=False)
        if person is not None
    }


def _image(record: PictureRecord, owners: Owners) -> Image:
    status = record.status
    return Image(
        hash=status.hash,
        state=status.state,
        names=record.names,
        accepted=status.accepted,
        finished=status.finished,
        size=Size(**status.size) if status.size else None,
        model=status.model,
        code=status.code,
        reason=status.reason,
        matches=record.matches,
        faces=[
            Face(**{"indexed": True, **face, "index": number, "person": owners.get((status.hash, number))})
            for number, face in enumerate(status.faces)
        ],
    )
