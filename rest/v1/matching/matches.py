"""`/v1/images/<hash>/matches`: which other pictures match, the nearest first, and on what evidence."""

from __future__ import annotations

from typing import Annotated

from flask import Response, g
from pydantic import BaseModel, Field

from faces import api_key
from faces.store.client import RedisClient
from faces.store.pictures.evidence import Shown, evidence
from rest.answers import answer
from rest.audit import Note, note
from rest.contract import Box
from rest.openapi import Parameters, Routes
from rest.parts import parts
from rest.v1 import cursors
from rest.v1.cursors import CursorText
from rest.v1.matching.distances import Chances, chances, distances
from rest.v1.shapes import Hash, ImagePath, PersonName, owners_in, record_of

matches = Routes("matches")


class MatchQuery(Parameters):
    """Which matches to list."""

    max_distance: float | None = Field(
        default=None, ge=0, description="Leave out matches that are farther apart"
    )
    min_probability: float | None = Field(
        default=None, ge=0, le=1, description="Leave out matches that are less likely"
    )
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    cursor: CursorText | None = None


class Pair(BaseModel):
    """A face of the picture, one of the other, and how far apart they are."""

    face: int = Field(description="Number of the face in the picture, from 0")
    box: Box | None
    other_face: int
    other_box: Box | None
    other_person: PersonName | None = Field(
        default=None, description="Whose the other face is; null: not grouped yet"
    )
    distance: float = Field(description="Euclidean, between encodings")
    probability: float | None = Field(description="Chance that both are one person; null: not measured yet")


class Match(BaseModel):
    """Another picture, and the pairs of faces for which it matches, the nearest first."""

    hash: Hash
    names: list[str]
    distance: float
    probability: float | None
    pairs: list[Pair]


class MatchList(BaseModel):
    """A page of matches, the nearest first."""

    hash: Hash
    model: str | None = Field(description="What made the encodings; null before the first worker started")
    tolerance: float = Field(description="Largest distance of faces that match")
    total: int = Field(description="Matches within the bounds that were asked for, on all pages")
    matches: list[Match]
    next: str | None = Field(description="Cursor of the next page; null at the end")


@matches.operation(
    "GET", "/v1/images/<hash>/matches", scope=api_key.SEARCH, answers={200: MatchList}, problems=(404,)
)
def list_matches(path: ImagePath, query: MatchQuery) -> Response:
    """List the pictures that match, the nearest first, with the faces, boxes and distances they rest on."""
    g.about = {"hash": path.hash}
    found = matches_of(parts().redis, path.hash, query, parts().settings.match_tolerance, note)
    g.outcome = {"matches": found.total}
    return answer(found)


def matches_of(
    redis: RedisClient, picture_id: str, query: MatchQuery, tolerance: float, note: Note
) -> MatchList:
    """The pictures that match one; `tolerance` is that of a collection without any yet.

    Raises:
        NotFound: the picture is not known.
        StoreError: Redis is unavailable.
    """
    record_of(redis, picture_id)
    note("search", picture_id)
    found = evidence(redis, picture_id)
    tolerance = tolerance if found.tolerance is None else found.tolerance
    likely = chances(redis)
    all_matches = [
        match
        for other in found.matches
        if (match := _match(found.picture, other, tolerance, likely)) and _wanted(match, query)
    ]
    all_matches.sort(key=lambda match: (match.distance, match.hash))
    start = _start(all_matches, query.cursor)
    page = all_matches[start : start + query.limit]
    more = start + len(page) < len(all_matches)
    _tell_people(redis, page)
    return MatchList(
        hash=picture_id,
        model=found.model,
        tolerance=tolerance,
        total=len(all_matches),
        matches=page,
        next=cursors.encode([page[-1].distance, page[-1].hash]) if more else None,
    )


def _match(picture: Shown, other: Shown, tolerance: float, likely: Chances) -> Match | None:
    """A match with its pairs; None where it rests on none, as while a rebuild is under way."""
    pairs = [
        Pair(
            face=_number(picture, a),
            box=_box(picture, a),
            other_face=_number(other, b),
            other_box=_box(other, b),
            distance=distance,
            probability=likely(distance),
        )
        for a, b, distance in distances(picture.encodings, other.encodings)
        if distance <= tolerance
    ]
    if not pairs:
        return None
    pairs.sort(key=lambda pair: pair.distance)
    nearest = pairs[0]
    return Match(
        hash=other.picture,
        names=other.names,
        distance=nearest.distance,
        probability=nearest.probability,
        pairs=pairs,
    )


def _tell_people(redis: RedisClient, page: list[Match]) -> None:
    owners = owners_in(redis, {match.hash for match in page})
    for match in page:
        for pair in match.pairs:
            pair.other_person = owners.get((match.hash, pair.other_face))


def _wanted(match: Match, query: MatchQuery) -> bool:
    near = query.max_distance is None or match.distance <= query.max_distance
    return near and (query.min_probability is None or (match.probability or 0.0) >= query.min_probability)


def _start(found: list[Match], cursor: str | None) -> int:
    if cursor is None:
        return 0
    distance, picture_id = cursors.decode(cursor, float, str)
    return sum((match.distance, match.hash) <= (distance, picture_id) for match in found)


def _number(shown: Shown, place: int) -> int:
    return shown.numbers[place] if place < len(shown.numbers) else place


def _box(shown: Shown, place: int) -> Box | None:
    box = shown.boxes[place] if place < len(shown.boxes) else None
    return Box(**box) if box else None
