"""`/v1/statuses`: the states of many pictures in one question."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import Response
from pydantic import BaseModel, Field

from faces import api_key
from faces.store.pictures import queries
from faces.store.pictures.status import Status
from rest.answers import answer
from rest.openapi import Parameters, Routes
from rest.parts import parts
from rest.v1.shapes import Hash

statuses = Routes("statuses")

MAX_PICTURES = 1000
LARGEST = 256 << 10  # bytes of the question


class StatusesBody(Parameters):
    """The pictures asked about."""

    hashes: Annotated[list[Hash], Field(min_length=1, max_length=MAX_PICTURES)]


class ShortStatus(BaseModel):
    """What became of a picture."""

    hash: Hash
    state: Literal["pending", "done", "failed", "damaged", "unknown"]
    faces: int | None = Field(default=None, description="How many faces it shows, once it is done")
    code: str | None = Field(default=None, description="Why it failed, for programs")
    reason: str | None = Field(default=None, description="Why it failed, for people")


class StatusList(BaseModel):
    """In the order in which they were asked for."""

    statuses: list[ShortStatus]


@statuses.operation(
    "POST", "/v1/statuses", scope=api_key.READ, answers={200: StatusList}, problems=(413,), max_body=LARGEST
)
def list_statuses(body: StatusesBody) -> Response:
    """The states of up to 1,000 pictures."""
    found = queries.statuses(parts().redis, body.hashes)
    return answer(StatusList(statuses=list(map(_short, body.hashes, found))))


def _short(picture_id: str, status: Status | None) -> ShortStatus:
    if status is None:
        return ShortStatus(hash=picture_id, state="unknown")
    faces = len(status.faces) if status.state == "done" else None
    return ShortStatus(
        hash=picture_id, state=status.state, faces=faces, code=status.code, reason=status.reason
    )
