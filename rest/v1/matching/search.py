"""Searching by a picture that is not stored, or by an encoding."""

from __future__ import annotations

import struct
import threading
from typing import Any

from flask import Response, g, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from faces import api_key
from faces.distances import DIMENSIONS, encoded
from faces.formats.header import check_header
from faces.messaging.search import MOST_MATCHES, Question
from faces.picture_id import picture_id_of
from faces.store.client import RedisClient
from rest.answers import answer
from rest.audit import note
from rest.contract import Box
from rest.openapi import BODY, Parameters, Routes
from rest.parts import parts
from rest.problems import ProblemError
from rest.searching import Searching
from rest.v1.matching.distances import chances
from rest.v1.shapes import PersonName, owners_in

search = Routes("search")


class SearchQuery(Parameters):
    """How much to find."""

    limit: int = Field(default=10, ge=1, le=MOST_MATCHES, description="Maximum number of matches per face")
    max_distance: float | None = Field(
        default=None, gt=0, le=2, description="Largest distance; at most the tolerance, which is the default"
    )
    encodings: bool = Field(default=False, description="Include the encodings of the faces in the answer")


class SearchEncoding(BaseModel):
    """A face to search for, as `/encodings` gives it."""

    model_config = ConfigDict(strict=True)  # or true would count as 1

    encoding: list[float] = Field(min_length=DIMENSIONS, max_length=DIMENSIONS)


class SearchMatch(BaseModel):
    """A picture that shows a matching face."""

    hash: str
    names: list[str]
    face: int = Field(description="Number of the face in the picture, from 0")
    box: Box | None
    person: PersonName | None = Field(description="Whose the face is; null: not grouped yet")
    distance: float
    probability: float | None = Field(description="That both show one person; null where it is not known")


class SearchedFace(BaseModel):
    """A face, with what else is known of it, and the pictures that match it, nearest first."""

    box: Box | None = None
    encoding: list[float] | None = Field(default=None, description="If asked for, and if the face is indexed")
    matches: list[SearchMatch]


class Found(BaseModel):
    """What was found."""

    model: str
    tolerance: float
    faces: list[SearchedFace]


CONTENT: dict[str, Any] = {
    "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    "application/json": {"schema": SearchEncoding.model_json_schema()},
}


@search.operation(
    "POST",
    "/v1/search",
    scope=api_key.SEARCH,
    answers={200: Found},
    problems=BODY,
    body=CONTENT,
)
def find(query: SearchQuery) -> Response:
    """Who is in a picture, of those known; the picture is not stored.

    The body is the picture, or JSON with an `encoding`. It goes to a worker ahead of all pictures that wait.
    """
    data = request.get_data(cache=False)
    encoding = _encoding(data) if request.mimetype == "application/json" else None
    if encoding is None:
        check_header(data, parts().ingest.limits)
        note("search", picture_id_of(data))
    question = question_of(query, data if encoding is None else encoding, encoding=encoding is not None)
    found = searched(parts().redis, parts().searching, question, encodings=query.encodings)
    g.outcome = {"faces": len(found["faces"]), "matches": sum(len(f["matches"]) for f in found["faces"])}
    return answer(found)


def question_of(query: SearchQuery, data: bytes, *, encoding: bool) -> Question:
    """The question to the workers: by a picture, or by a face's encoding as it is stored."""
    return Question(data=data, encoding=encoding, limit=query.limit, max_distance=query.max_distance or 2.0)


def searched(
    redis: RedisClient,
    searching: Searching,
    question: Question,
    gone: threading.Event | None = None,
    *,
    encodings: bool = False,
) -> dict[str, Any]:
    """What the workers find, as `Found` has it, each match with its chance of being right, and whose face it is.

    Raises:
        As `Searching.ask`; StoreError: Redis is unavailable.
    """
    found = searching.ask(question, gone)
    if not encodings:
        for face in found["faces"]:
            face.pop("encoding", None)
    likely = chances(redis)
    all_matches = [match for face in found["faces"] for match in face["matches"]]
    owners = owners_in(redis, {match["hash"] for match in all_matches})
    for match in all_matches:
        match["probability"] = likely(match["distance"])
        person = owners.get((match["hash"], match["face"]))
        match["person"] = None if person is None else person.model_dump()
    return found


def _encoding(body: bytes) -> bytes:
    """An encoding of 128 numbers as it is stored."""
    try:
        return encoded(SearchEncoding.model_validate_json(body).encoding)
    except (ValidationError, OverflowError, struct.error) as error:
        raise ProblemError("bad_request", 'send {"encoding": [128 numbers]}, or a picture') from error
