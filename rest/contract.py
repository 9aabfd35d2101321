"""The routes that existing clients rely on: they answer exactly as the README's table says, for good."""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal

from flask import Response, g, request
from pydantic import BaseModel, Field, RootModel
from werkzeug.exceptions import NotFound
from werkzeug.routing import BaseConverter

from faces import api_key
from faces.errors import PictureNameError
from faces.picture_id import is_picture_id
from faces.store.pictures import queries
from faces.usecases.ingest import Accepted
from rest.answers import answer
from rest.audit import note
from rest.auth.scopes import PUBLIC
from rest.erasing import erase_requested
from rest.openapi import BODY, Routes
from rest.page.screens import SCREENS, show, wants_a_page
from rest.parts import parts

LONGEST_DOCUMENT = 256 << 10  # bytes of JSON with a URL in it

contract = Routes("contract")


class NameConverter(BaseConverter):
    """A name as it stands in the path: anything, slashes included, also at its beginning."""

    regex = r"[\s\S]+"  # line breaks, too
    part_isolating = False


class Service(BaseModel):
    """The service that answers."""

    service: Literal["facefleet"]


class NamePath(BaseModel):
    """The name of a picture that is sent."""

    name: str = Field(min_length=1, description="Any text, slashes included; at most 512 characters")


class PicturePath(BaseModel):
    """The picture that is asked about."""

    picture_id: str = Field(description="The picture's hash; anything else is unknown")


class UrlBody(BaseModel):
    """The picture to fetch."""

    url: str


class AcceptedPicture(BaseModel):
    """An accepted picture."""

    hash: str = Field(pattern="^[0-9a-f]{64}$", description="SHA-256 of the picture's bytes")


class Box(BaseModel):
    """In pixels of the upright picture."""

    left: float
    top: float
    right: float
    bottom: float


class StatusFace(BaseModel):
    """A face, with what else is known of it."""

    box: Box


class StatusDocument(BaseModel):
    """What became of a picture; times are Unix seconds."""

    hash: str
    state: Literal["pending", "done", "failed", "damaged"]
    accepted: float
    finished: float | None
    model: str | None
    faces: list[StatusFace]
    code: str | None = Field(description="Why it failed, for programs")
    reason: str | None = Field(description="Why it failed, for people")
    names: list[str]


class UnknownPicture(BaseModel):
    """A picture of which nothing is known."""

    hash: str
    state: Literal["unknown"]


class Names(RootModel[list[str]]):
    """Names and URLs."""


ACCEPTED = {HTTPStatus.ACCEPTED: AcceptedPicture, HTTPStatus.OK: AcceptedPicture}
UPLOAD = {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}


@contract.operation("GET", "/", scope=PUBLIC, answers={200: Service})
def root() -> Response:
    """Tell that the server is there; a browser gets the page."""
    response = show(SCREENS[0]) if wants_a_page() else answer({"service": "facefleet"})
    response.vary.add("Accept")
    return response


@contract.operation("POST", "/scan/image/", scope=api_key.SCAN, answers=ACCEPTED, hidden=True)
def scan_nameless() -> Response:
    """Refuse a picture without a name."""
    return _scan_image("")


@contract.operation(
    "POST", "/scan/image/<name:name>", scope=api_key.SCAN, answers=ACCEPTED, problems=BODY, body=UPLOAD
)
def scan_image(path: NamePath) -> Response:
    """Send a picture under a name.

    202 for a new picture; 200 for one that is done already: its name is set.
    """
    _check_path()
    return _scan_image(path.name)


@contract.operation(
    "POST",
    "/scan/url",
    scope=api_key.SCAN,
    answers=ACCEPTED,
    problems=(*BODY, 502),
    max_body=LONGEST_DOCUMENT,
)
def scan_url(body: UrlBody) -> Response:
    """Send the URL of a picture, which becomes its name.

    A URL whose picture is already done is not fetched again.
    """
    g.about = {"name": body.url}
    fetch = parts().fetcher.fetch
    return _scanned(parts().ingest.accept_url(body.url, fetch, request_id=g.request_id, key=g.key))


@contract.operation("GET", "/match/<picture_id>", scope=api_key.SEARCH, answers={200: Names})
def match(path: PicturePath) -> Response:
    """Names of the other pictures that show a matching face.

    None for a picture that is unknown, without a face, or not done yet.
    """
    g.about = {"hash": path.picture_id}
    note("search", path.picture_id)
    names = queries.matching_names(parts().redis, path.picture_id)
    g.outcome = {"matches": len(names)}
    return answer(names)


@contract.operation(
    "GET",
    "/status/<picture_id>",
    scope=api_key.READ,
    answers={200: StatusDocument, 404: UnknownPicture},
)
def status(path: PicturePath) -> Response:
    """What became of a picture."""
    g.about = {"hash": path.picture_id}
    found = queries.status_with_names(parts().redis, path.picture_id)
    if found is None:
        return answer({"hash": path.picture_id, "state": "unknown"}, HTTPStatus.NOT_FOUND)
    shown = found.shown()
    return answer({name: shown[name] for name in StatusDocument.model_fields if name in shown})


@contract.operation(
    "DELETE", "/v1/pictures/<picture_id>", scope=api_key.ADMIN, answers={204: None}, problems=(404,)
)
def erase(path: PicturePath) -> Response:
    """Erase a picture with everything made from it."""
    g.about = {"hash": path.picture_id}
    if not is_picture_id(path.picture_id):
        raise NotFound("not a picture's hash, which is 64 lower-case hex digits")
    erase_requested(path.picture_id)
    return Response(status=HTTPStatus.NO_CONTENT)


def _check_path() -> None:
    """Reject a path that is not UTF-8: what is decoded with replacements would give different names as one.

    Raises:
        PictureNameError: it is not.
    """
    try:
        request.environ["PATH_INFO"].encode("latin-1").decode()  # PEP 3333: bytes, passed on as Latin-1
    except UnicodeDecodeError as error:
        raise PictureNameError("the name is not valid UTF-8: percent-encode its UTF-8 bytes") from error


def _scan_image(name: str) -> Response:
    g.about = {"name": name}
    data = request.get_data(cache=False)
    return _scanned(parts().ingest.accept(data, name, request_id=g.request_id, key=g.key))


def _scanned(accepted: Accepted) -> Response:
    g.outcome = {"hash": accepted.picture_id}
    status = HTTPStatus.ACCEPTED if accepted.new else HTTPStatus.OK
    return answer({"hash": accepted.picture_id}, status)
