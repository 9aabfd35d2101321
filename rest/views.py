"""The routes. Existing clients hold on to the first four: they answer exactly as the README's table says."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, Response, current_app, g, request
from werkzeug.exceptions import BadRequest
from werkzeug.routing import BaseConverter

from faces.documents import to_json
from faces.progress import Progress
from faces.store import reading
from faces.store.link import Link
from rest.fetch import Fetcher
from rest.scans import Scan, Scans

routes = Blueprint("routes", __name__)
EXTENSION = "facefleet"


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
    return scanned(parts().scans.take(request.get_data(cache=False), name, g.request_id))


@routes.post("/scan/url")
def scan_url() -> Response:
    """Take the picture at an address."""
    document = request.get_json(force=True, silent=True)
    url = document.get("url") if isinstance(document, dict) else None
    if not isinstance(url, str):
        raise BadRequest('the body is not the JSON that is expected: send {"url": "https://..."}')
    g.about = {"name": url}
    return scanned(parts().scans.take_url(url, parts().fetcher.fetch, g.request_id))


@routes.get("/match/<picture>")
def match(picture: str) -> Response:
    """Give the names of the other pictures that show a matching face."""
    g.about = {"hash": picture}
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


def scanned(scan: Scan) -> Response:
    """Answer an accepted picture with its hash."""
    g.outcome = {"hash": scan.hash}
    return answer({"hash": scan.hash}, HTTPStatus.ACCEPTED if scan.new else HTTPStatus.OK)


def answer(value: object, status: int = HTTPStatus.OK) -> Response:
    """Answer with JSON."""
    return Response(to_json(value) + "\n", status, mimetype="application/json")
