"""Who is seen in a video, read from its frames as they are known now."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pydantic import BaseModel, Field

from faces.store.client import RedisClient
from faces.store.people import appearances
from faces.store.people.directory import Person
from faces.store.pictures import queries
from faces.store.pictures.status import Status
from faces.store.videos import Frame, Video, frames
from faces.timeline import Appearance, Sighting, timeline
from rest.v1.shapes import Hash

PIECE = 500  # frames read at once


class FrameCounts(BaseModel):
    """What became of the frames that were taken; those erased one by one are not counted."""

    taken: int
    pending: int
    done: int
    failed: int


class Span(BaseModel):
    """From when to when, in seconds."""

    since: float
    until: float


class BestFace(BaseModel):
    """The face that shows somebody best: large, sharp and straight ahead."""

    hash: Hash
    face: int = Field(description="Number of the face in the frame, from 0")
    seconds: float = Field(description="When it is shown")


class SeenPerson(BaseModel):
    """A person, or group of faces, in a video."""

    id: str
    name: str = Field(description='"" for nobody named yet')
    seconds: float = Field(description="How long they are seen in all")
    spans: list[Span]
    best: BestFace


@dataclass(frozen=True, slots=True)
class Seen:
    """What the frames of a video show."""

    frames: FrameCounts
    people: list[SeenPerson]
    ungrouped: int


def look(redis: RedisClient, video: Video) -> Seen:
    """See who is seen in a video.

    Raises:
        StoreError: Redis is unavailable.
    """
    taken = frames(redis, video.hash)
    until = [later.seconds for _, later in pairwise(taken)] + [video.reached]
    states: Counter[str] = Counter()
    sightings: list[Sighting] = []
    people: dict[str, Person] = {}
    ungrouped = 0
    for start in range(0, len(taken), PIECE):
        piece = taken[start : start + PIECE]
        ids = [frame.picture_id for frame in piece]
        statuses, owners = queries.statuses(redis, ids), appearances.of_pictures(redis, ids)
        states.update("erased" if status is None else status.state for status in statuses)
        for frame, end, status, persons in zip(piece, until[start:], statuses, owners, strict=False):
            if status is None or status.state != "done":
                continue
            found = list(_sightings(frame, end, status, persons))
            ungrouped += len(status.indexed) - len(found)
            people |= {somebody.id: somebody for somebody in persons if somebody is not None}
            sightings += found
    seen = [
        _seen(appearance, people[appearance.person])
        for appearance in timeline(sightings)
        if not people[appearance.person].hidden
    ]
    return Seen(_counted(states), seen, ungrouped)


def _sightings(
    frame: Frame, until: float, status: Status, persons: Sequence[Person | None]
) -> Iterator[Sighting]:
    """The faces of a frame that are in a group."""
    for (face, document), person in zip(status.indexed, persons, strict=False):
        if person is not None:
            yield Sighting(
                person.id, frame.seconds, max(until, frame.seconds), frame.picture_id, face, _worth(document)
            )


def _worth(document: dict[str, object]) -> float:
    """How well a face can be seen: its size and sharpness, less the more the head is turned."""
    quality = document.get("quality")
    if not isinstance(quality, dict):
        return 0.0
    size, sharpness = float(quality.get("size", 0)), float(quality.get("sharpness", 0))
    return size * sharpness / (1 + 2 * float(quality.get("pose", 0)))


def _seen(appearance: Appearance, person: Person) -> SeenPerson:
    best = appearance.best
    return SeenPerson(
        id=person.id,
        name=person.name,
        seconds=appearance.seconds,
        spans=[Span(since=since, until=until) for since, until in appearance.spans],
        best=BestFace(hash=best.picture_id, face=best.face, seconds=best.since),
    )


def _counted(states: Counter[str]) -> FrameCounts:
    failed = states["failed"] + states["damaged"]
    known = states["pending"] + states["done"] + failed
    return FrameCounts(taken=known, pending=states["pending"], done=states["done"], failed=failed)
