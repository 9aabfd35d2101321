"""`/v1/compare`: whether two pictures, or two faces, show the same person."""

from __future__ import annotations

from typing import Annotated, Self

from flask import Response, g
from pydantic import BaseModel, Field, model_validator

from faces import api_key
from faces.distances import COMPARE_TOLERANCE, DIMENSIONS, encoded
from faces.store.client import RedisClient
from faces.store.collection import inspection
from rest.answers import answer
from rest.audit import Note, note
from rest.openapi import Parameters, Routes
from rest.parts import parts
from rest.problems import ProblemError
from rest.v1.matching.distances import chances, distances
from rest.v1.shapes import Hash, record_of

compare = Routes("compare")

LARGEST = 64 << 10  # bytes of the question

Number = Annotated[float, Field(strict=True, ge=-1e3, le=1e3)]


class Side(Parameters):
    """What is compared: a picture that is done, by its hash, or one face, by its encoding."""

    hash: Hash | None = None
    encoding: Annotated[list[Number], Field(min_length=DIMENSIONS, max_length=DIMENSIONS)] | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if (self.hash is None) == (self.encoding is None):
            raise ValueError("give a hash or an encoding")
        return self


class CompareBody(Parameters):
    """The two to compare."""

    first: Side
    second: Side
    tolerance: float = Field(
        default=COMPARE_TOLERANCE, gt=0, le=2, description="Largest distance of the same person"
    )


class ComparedPair(BaseModel):
    """A face of each, and how far apart they are."""

    first: int = Field(description="Number of the face in the first picture, from 0")
    second: int
    distance: float
    probability: float | None = Field(description="Chance that both are one person; null: not measured yet")


class Comparison(BaseModel):
    """Whether both show the same person; every pair of faces, the nearest first."""

    same: bool = Field(description="Whether the nearest two faces are within the tolerance")
    distance: float
    probability: float | None
    tolerance: float
    model: str | None
    pairs: list[ComparedPair]


@compare.operation(
    "POST",
    "/v1/compare",
    scope=api_key.SEARCH,
    answers={200: Comparison},
    problems=(404, 409, 413, 422),
    max_body=LARGEST,
)
def compare_two(body: CompareBody) -> Response:
    """Compare two pictures or faces, one to one."""
    found = compared(parts().redis, body, note)
    g.outcome = {"distance": round(found.distance, 4)}
    return answer(found)


def compared(redis: RedisClient, body: CompareBody, note: Note) -> Comparison:
    """Every pair of faces of the two, and whether the nearest are one person.

    Raises:
        NotFound: a picture is not known.
        ProblemError: `not_finished` or `no_face`.
        StoreError: Redis is unavailable.
    """
    first, second = (_faces(redis, side, note) for side in (body.first, body.second))
    likely = chances(redis)
    pairs = [
        ComparedPair(first=first[a][0], second=second[b][0], distance=distance, probability=likely(distance))
        for a, b, distance in distances([face for _, face in first], [face for _, face in second])
    ]
    pairs.sort(key=lambda pair: pair.distance)
    nearest = pairs[0]
    _, model, _ = inspection.stored_version(redis)
    return Comparison(
        same=nearest.distance <= body.tolerance,
        distance=nearest.distance,
        probability=nearest.probability,
        tolerance=body.tolerance,
        model=None if model is None else model.decode(),
        pairs=pairs,
    )


def _faces(redis: RedisClient, side: Side, note: Note) -> list[tuple[int, bytes]]:
    """The indexed faces of a picture with their numbers, or the one face that is given."""
    if side.encoding is not None:
        return [(0, encoded(side.encoding))]
    picture_id = str(side.hash)
    note("search", picture_id)
    status = record_of(redis, picture_id).status
    if status.state == "pending":
        raise ProblemError("not_finished", f"{picture_id} is still pending: wait until it is done")
    (stored,) = inspection.encodings(redis, [picture_id.encode()])
    if not stored:
        raise ProblemError("no_face", f"{picture_id} shows no face that could be compared")
    return [(place, encoding) for (place, _), encoding in zip(status.indexed, stored, strict=False)]
