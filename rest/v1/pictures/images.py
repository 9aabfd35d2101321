"""`/v1/images`: send pictures, list them, and ask what is known of one."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from flask import Response, g
from pydantic import BaseModel, Field

from faces import api_key
from faces.store.people import appearances
from faces.store.pictures import listing
from faces.store.pictures.listing import PictureRecord
from rest.answers import answer
from rest.erasing import erase_requested
from rest.openapi import BINARY, BODY, Parameters, Routes
from rest.parts import parts
from rest.v1 import cursors
from rest.v1.conditional import conditional
from rest.v1.cursors import CursorText
from rest.v1.person_shapes import PersonId, known_person
from rest.v1.pictures import sending
from rest.v1.pictures.sending import Sent
from rest.v1.shapes import Hash, Image, ImagePath, State, Wait, image_of, images_of, known

images = Routes("images")

BODIES: dict[str, Any] = {
    "application/octet-stream": BINARY,
    "image/*": BINARY,
    "multipart/form-data": {
        "schema": {
            "type": "object",
            "properties": {"image": {"type": "array", "items": {"type": "string", "format": "binary"}}},
        }
    },
    "application/json": {"schema": sending.UrlsBody.model_json_schema()},
    "application/x-tar": BINARY,
}


class SendQuery(Parameters):
    """How pictures are sent."""

    name: str | None = Field(
        default=None, description="Name of a picture sent as a raw body; default: its hash"
    )
    wait: Wait = 0.0


class ImageQuery(Parameters):
    """How a picture is asked about."""

    wait: Wait = 0.0


class ListQuery(Parameters):
    """Which pictures to list."""

    state: State | None = None
    prefix: str | None = Field(default=None, max_length=512, description="What one of its names begins with")
    faces: Literal["with", "without"] | None = Field(
        None, description="Only pictures with, or without, a face"
    )
    person: PersonId | None = Field(default=None, description="Only pictures of this person")
    since: float | None = Field(
        default=None, description="Unix seconds; only pictures accepted then or later"
    )
    limit: Annotated[int, Field(ge=1, le=500)] = 50
    cursor: CursorText | None = None


class ImageList(BaseModel):
    """A page, newest first. With a filter that few pictures pass it may be short, or empty, before the end."""

    images: list[Image]
    next: str | None = Field(description="Cursor of the next page; null at the end")


class ErasedImage(BaseModel):
    """A receipt: what was erased."""

    hash: Hash
    state: State | None = Field(description="Its last state; null if only leftovers were found")
    names: list[str]
    faces: int
    matches: int
    original: bool = Field(description="Whether an original was removed from the image store")
    crops: bool = Field(description="Whether crops of its faces were removed from the image store")


@images.operation(
    "POST",
    "/v1/images",
    scope=api_key.SCAN,
    answers={202: Sent, 200: Sent},
    problems=(*BODY, 409, 502),
    body=BODIES,
)
def send_images(query: SendQuery) -> Response:
    """Send pictures: one as a raw body, one or many in a form, by URL, or in a tar archive.

    Answers 202 with an entry per picture, so that one bad picture fails alone, and `Location` if there is one
    picture; 200 if none of them is new, or all are finished. A single picture that is refused is answered with its
    problem. A request with an `Idempotency-Key` is done once, however often it is sent.
    """
    return sending.send(query.name, query.wait)


@images.operation("GET", "/v1/images", scope=api_key.READ, answers={200: ImageList}, problems=(404,))
def list_images(query: ListQuery) -> Response:
    """List pictures, newest first; with `person` those of one person."""
    page = listing.page(
        parts().redis,
        lambda record: _wanted(record, query),
        limit=query.limit,
        after=cursors.position(query.cursor),
        since=query.since,
        among=_of_person(query.person),
    )
    return answer(
        ImageList(images=images_of(parts().redis, page.pictures), next=cursors.after(page.following))
    )


@images.operation(
    "GET", "/v1/images/<hash>", scope=api_key.READ, answers={200: Image, 304: None}, problems=(404,)
)
def get_image(path: ImagePath, query: ImageQuery) -> Response:
    """What is known of a picture: its state, names, faces, and how many others match."""
    g.about = {"hash": path.hash}
    if query.wait:
        parts().waiting.wait_for(path.hash, query.wait)
    return conditional(answer(image_of(parts().redis, known(path.hash))))


@images.operation(
    "DELETE", "/v1/images/<hash>", scope=api_key.ADMIN, answers={200: ErasedImage}, problems=(404,)
)
def erase_image(path: ImagePath) -> Response:
    """Erase a picture with everything made from it, and answer with a receipt."""
    g.about = {"hash": path.hash}
    erased = erase_requested(path.hash)
    receipt = erased.receipt
    return answer(
        {
            "hash": path.hash,
            "state": receipt.state,
            "names": receipt.names,
            "faces": receipt.faces,
            "matches": receipt.edges,
            "original": erased.original,
            "crops": erased.crops,
        }
    )


def _of_person(person: str | None) -> set[str] | None:
    return None if person is None else appearances.pictures(parts().redis, known_person(person))


def _wanted(record: PictureRecord, query: ListQuery) -> bool:
    status = record.status
    return (
        (query.state is None or status.state == query.state)
        and (
            query.faces is None or (status.state == "done" and bool(status.faces) == (query.faces == "with"))
        )
        and (query.prefix is None or any(name.startswith(query.prefix) for name in record.names))
    )
