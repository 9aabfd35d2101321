"""The pictures themselves: the original or a thumbnail, with the faces marked, and each face alone."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from textwrap import shorten
from typing import Annotated, Any

from flask import Response, g, request
from pydantic import Field
from werkzeug.exceptions import NotFound

from faces import api_key
from faces.formats.limits import Limits
from faces.image_store.crops import CROP_SIDE
from faces.store.pictures.listing import PictureRecord
from rest.openapi import Parameters, Routes, content
from rest.parts import parts
from rest.problems import ProblemError
from rest.rendering import drawing
from rest.rendering.drawing import LARGEST_SIDE, MIME, Mark
from rest.v1.conditional import conditional
from rest.v1.shapes import Hash, ImagePath, PersonName, known, owners_in

pictures = Routes("pictures")

COLOURS = ("#e6194b", "#3cb44b", "#4363d8", "#f58231", "#911eb4", "#008080", "#9a6324", "#800000")
NOT_INDEXED = "#808080"
LONGEST_LABEL = 40  # characters
PROBLEMS = (404, 415, 416, 422, 501)
JPEG = {200: content("The picture", "image/jpeg"), 206: content("A part of it", "image/jpeg"), 304: None}
ORIGINAL = {
    200: content("The picture", *MIME.values()),
    206: content("A part of it", *MIME.values()),
    304: None,
}

Side = Annotated[
    int, Field(ge=16, le=LARGEST_SIDE, description="Length of the longer side in pixels, at most")
]


class SizeQuery(Parameters):
    """How large the picture is wanted."""

    size: Side | None = None


class FacePath(Parameters):
    """A face of a picture."""

    hash: Hash
    index: int = Field(ge=0, le=100_000, description="Number of the face in the picture, from 0")


@pictures.operation(
    "GET", "/v1/images/<hash>/picture", scope=api_key.READ, answers=ORIGINAL, problems=PROBLEMS
)
def picture(path: ImagePath, query: SizeQuery) -> Response:
    """The original as it was sent; with `size` a JPEG thumbnail, upright."""
    g.about = {"hash": path.hash}
    known(path.hash)
    if query.size is None:
        return _served(path.hash, _original(path.hash), None)
    size = query.size
    return _drawn(
        path.hash, f"{path.hash}-{size}", lambda: drawing.thumbnail(_original(path.hash), _limits(), size)
    )


@pictures.operation(
    "GET", "/v1/images/<hash>/annotated", scope=api_key.READ, answers=JPEG, problems=(*PROBLEMS, 409)
)
def annotated(path: ImagePath, query: SizeQuery) -> Response:
    """The picture with its faces marked, upright, as a JPEG: with people's names, else numbers.

    A person has the same colour in all pictures; grey faces are not indexed.
    """
    g.about = {"hash": path.hash}
    marks = _marks(_finished(path.hash))
    version = hashlib.sha256(f"{path.hash} {query.size} {marks}".encode()).hexdigest()
    return _drawn(
        path.hash, version, lambda: drawing.annotated(_original(path.hash), _limits(), marks, query.size)
    )


@pictures.operation(
    "GET", "/v1/images/<hash>/faces/<int:index>", scope=api_key.READ, answers=JPEG, problems=(*PROBLEMS, 409)
)
def face(path: FacePath, query: SizeQuery) -> Response:
    """One face with a margin around it, upright, as a JPEG; where only crops are kept, of 160 pixels at most."""
    g.about = {"hash": path.hash}
    faces = _finished(path.hash).status.faces
    if path.index >= len(faces) or not faces[path.index].get("box"):
        raise NotFound(f"the picture has {len(faces)} faces, numbered from 0")
    box = faces[path.index]["box"]
    crop = _crop(path.hash, path.index, query.size)
    if crop is not None:
        return _served(None, crop, "image/jpeg")
    version = hashlib.sha256(f"{path.hash} {query.size} {box}".encode()).hexdigest()
    return _drawn(path.hash, version, lambda: drawing.crop(_original(path.hash), _limits(), box, query.size))


def _finished(picture_id: str) -> PictureRecord:
    record = known(picture_id)
    if record.status.state == "pending":
        raise ProblemError("not_finished", "the picture is still pending: ask again later, or use wait")
    return record


def _marks(record: PictureRecord) -> list[Mark]:
    owners = owners_in(parts().redis, [record.status.hash])
    return [
        _mark(index, face, owners.get((record.status.hash, index)))
        for index, face in enumerate(record.status.faces)
        if face.get("box")
    ]


def _mark(index: int, face: Mapping[str, Any], person: PersonName | None) -> Mark:
    """A face has the colour of its person in every picture, and the person's name, or else its number here."""
    colour = COLOURS[(index if person is None else int(person.id)) % len(COLOURS)]
    label = str(index) if person is None else shorten(person.name, LONGEST_LABEL) or str(index)
    landmarks = tuple(map(tuple, face.get("landmarks") or ()))
    return Mark(face["box"], label, colour if face.get("indexed", True) else NOT_INDEXED, landmarks)


def _crop(picture_id: str, index: int, size: int | None) -> bytes | None:
    """The crop of a face, if one is stored that is large enough, or there is no original to cut from."""
    image_store = parts().image_store
    if image_store is None or ((size is None or size > CROP_SIDE) and image_store.has(picture_id)):
        return None
    crop = image_store.crop(picture_id, index)
    return crop and drawing.smaller(crop, size or CROP_SIDE)


def _original(picture_id: str) -> bytes:
    image_store = parts().image_store
    if image_store is None:
        raise ProblemError("no_image_store", "pictures are not kept: set IMAGE_STORE_URL")
    if not parts().settings.keeps_originals and not image_store.has(picture_id):
        raise ProblemError("no_image_store", "only crops of faces are kept: set IMAGE_STORE_KEEPS=both")
    return image_store.get(picture_id)


def _limits() -> Limits:
    return parts().ingest.limits


def _drawn(picture_id: str, version: str, draw: Callable[[], bytes]) -> Response:
    """Draw a picture, unless the caller has it already, or we have."""
    if request.if_none_match.contains(version) and parts().image_store is not None:
        return conditional(Response(mimetype="image/jpeg"), version)
    if parts().image_store is None:
        return _served(version, draw(), "image/jpeg")  # raises: the originals are not kept
    return _served(version, parts().drawn.get(picture_id, version, draw), "image/jpeg")


def _served(version: str | None, data: bytes, kind: str | None) -> Response:
    response = Response(data, mimetype=kind or drawing.media_type(data, _limits()))
    return conditional(response, version, ranges=True)
