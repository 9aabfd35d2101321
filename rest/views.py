"""The routes. Existing clients hold on to the first four: they answer exactly as the README's table says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, Response, current_app, g, request
from werkzeug.exceptions import BadRequest, NotFound, RequestEntityTooLarge
from werkzeug.routing import BaseConverter

from faces.documents import from_json, to_json
from faces.identity import is_hash
from faces.images import ImageStore
from faces.progress import Progress
from faces.store import erase as erasing
from faces.store import reading
from faces.store.link import Link
from faces.store.trail import Deed, Trail
from rest.fetch import Fetcher
from rest.metrics import Metrics
from rest.scans import Scan, Scans

routes = Blueprint("routes", __name__)
EXTENSION = "facefleet"
LONGEST_DOCUMENT = 256 << 10  # bytes of JSON with a URL in it


class NameConverter(BaseConverter):
    """A name as it stands in the path: anything, slashes included, also at its beginning."""

    regex = ".+"
    part_isolating = False


@dataclass(frozen=True)
class Parts:
    """What the routes work with."""

    link: Link
    scans: Scans
    fetcher: Fetcher
    progress: Progress
    trail: Trail
    images: ImageStore | None
    metrics: Metrics

    def checks(self) -> dict[str, Callable[[], None]]:
        """What has to be there for pictures to be taken: each raises Transient where it is not."""
        return {"Redis": self.link.check, "RabbitMQ": self.scans.check}

    def close(self) -> None:
        """Let go of Redis and RabbitMQ."""
        self.scans.close()
        self.progress.close()
        self.link.close()


def parts() -> Parts:
    """The parts of the app that handles this request."""
    found: Parts = current_app.extensions[EXTENSION]
    return found


@routes.get("/")
def root() -> Response:
    """Say that the server is there."""
    return answer({"service": "facefleet"})


@routes.post("/scan/image/", defaults={"name": ""})
@routes.post("/scan/image/<name:name>")
def scan_image(name: str) -> Response:
    """Take the picture in the body."""
    g.about = {"name": name}
    return scanned(parts().scans.take(_body(), name, g.request_id, g.key))


@routes.post("/scan/url")
def scan_url() -> Response:
    """Take the picture at an address."""
    request.max_content_length = LONGEST_DOCUMENT
    url = _url(_body())
    g.about = {"name": url}
    return scanned(parts().scans.take_url(url, parts().fetcher.fetch, g.request_id, g.key))


@routes.get("/match/<picture>")
def match(picture: str) -> Response:
    """Give the names of the other pictures that show a matching face."""
    g.about = {"hash": picture}
    _note("search", picture)
    names = reading.matching_names(parts().link, picture)
    g.outcome = {"matches": len(names)}
    return answer(names)


@routes.get("/status/<picture>")
def status(picture: str) -> Response:
    """Give a picture's status document; 404 for a picture that was never accepted."""
    g.about = {"hash": picture}
    (found,) = reading.statuses(parts().link, [picture])
    if found is None:
        return answer({"hash": picture, "state": "unknown"}, HTTPStatus.NOT_FOUND)
    return answer(found)


@routes.delete("/v1/pictures/<picture>")
def erase(picture: str) -> Response:
    """Erase a picture with all that was made from it; 404 where nothing of it is known."""
    g.about = {"hash": picture}
    if not is_hash(picture):
        raise NotFound("this is not a picture's hash: 64 lower-case hex digits")
    _note("erase", picture)
    receipt = erasing.erase(parts().link, picture)
    images = parts().images
    kept = images is not None and images.delete(picture)
    if not (kept or receipt.state or receipt.names or receipt.faces):
        raise NotFound("no picture with this hash is known: it was never accepted, or is erased")
    g.outcome = {"faces": receipt.faces, "names": len(receipt.names)}
    return Response(status=HTTPStatus.NO_CONTENT)


def scanned(scan: Scan) -> Response:
    """Answer an accepted picture with its hash."""
    g.outcome = {"hash": scan.hash}
    return answer({"hash": scan.hash}, HTTPStatus.ACCEPTED if scan.new else HTTPStatus.OK)


def answer(value: object, status: int = HTTPStatus.OK) -> Response:
    """Answer with JSON."""
    return Response(to_json(value) + "\n", status, mimetype="application/json")


def _note(did: Deed, picture: str) -> None:
    """Note on the trail what the bearer of a key is about to do; without keys nobody is known."""
    if g.key and is_hash(picture):
        parts().trail.note(g.key, did, picture, g.request_id)


def _body() -> bytes:
    """The whole body. Without a Content-Length Werkzeug cuts it at the limit and says nothing."""
    data = request.get_data(cache=False)
    if request.content_length is None and len(data) == request.max_content_length:
        raise RequestEntityTooLarge
    return data


def _url(body: bytes) -> str:
    try:
        document = from_json(body)
    except (ValueError, RecursionError):  # the latter: brackets within brackets, by the thousand
        document = None
    url = document.get("url") if isinstance(document, dict) else None
    if not isinstance(url, str):
        raise BadRequest('the body is not the JSON that is expected: send {"url": "https://..."}')
    return url
