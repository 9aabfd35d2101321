"""`/v1/failures`: the pictures that could not be processed, why, and a second chance."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from flask import Response, g
from pydantic import BaseModel, Field

from faces import api_key
from faces.store.pictures import listing
from faces.store.pictures.listing import PictureRecord
from faces.usecases.replay import replay_picture
from rest.answers import answer
from rest.openapi import Parameters, Routes
from rest.parts import parts
from rest.problems import ProblemError
from rest.v1 import cursors
from rest.v1.cursors import CursorText
from rest.v1.shapes import Hash, ImagePath, known

failures = Routes("failures")


class FailureQuery(Parameters):
    """Which failures to list."""

    code: str | None = Field(default=None, description="Only those that failed for this reason")
    limit: Annotated[int, Field(ge=1, le=500)] = 50
    cursor: CursorText | None = None


class Failure(BaseModel):
    """A picture that could not be processed; times are Unix seconds."""

    hash: Hash
    names: list[str]
    code: str | None
    reason: str | None
    accepted: float
    finished: float | None


class FailureList(BaseModel):
    """A page, newest first; it may be short, or empty, before the end."""

    failures: list[Failure]
    next: str | None = Field(description="Cursor of the next page; null at the end")


class Replayed(BaseModel):
    """A picture that is processed once more."""

    hash: Hash


@failures.operation("GET", "/v1/failures", scope=api_key.READ, answers={200: FailureList})
def list_failures(query: FailureQuery) -> Response:
    """List the pictures that could not be processed, newest first."""
    page = listing.page(
        parts().redis,
        lambda record: record.status.state == "failed" and query.code in {None, record.status.code},
        limit=query.limit,
        after=cursors.position(query.cursor),
    )
    found = [_failure(record) for record in page.pictures]
    return answer(FailureList(failures=found, next=cursors.after(page.following)))


@failures.operation(
    "POST",
    "/v1/failures/<hash>/replay",
    scope=api_key.ADMIN,
    answers={202: Replayed},
    problems=(404, 409, 501),
)
def replay_failure(path: ImagePath) -> Response:
    """Process a failed picture once more.

    Needs the original: without an image store, send the picture again instead.
    """
    g.about = {"hash": path.hash}
    status = known(path.hash).status
    if status.state != "failed":
        raise ProblemError("not_failed", f"the picture is {status.state}: only a failed one can be replayed")
    image_store = parts().image_store
    if image_store is None:
        raise ProblemError("no_image_store", "there are no originals to replay: set IMAGE_STORE_URL")
    replay_picture(parts().redis, parts().publishers.publish, image_store, status, request_id=g.request_id)
    response = answer(Replayed(hash=path.hash), HTTPStatus.ACCEPTED)
    response.headers["Location"] = f"/v1/images/{path.hash}"
    return response


def _failure(record: PictureRecord) -> Failure:
    status = record.status
    return Failure(
        hash=status.hash,
        names=record.names,
        code=status.code,
        reason=status.reason,
        accepted=status.accepted,
        finished=status.finished,
    )
