"""The routes. Existing clients hold on to the first four: they answer exactly as the README's table says."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, Response, current_app, g, request
from werkzeug.exceptions import BadRequest, NotFound, RequestEntityTooLarge
from werkzeug.routing import BaseConverter

from faces.documents import from_json, to_json
from faces.event_log import EventLog
from faces.image_store import ImageStore
from faces.picture_id import is_picture_id
from faces.store import queries
from faces.store.audit_log import Action, AuditLog
from faces.store.client import RedisClient
from faces.usecases.erase import erase_picture
from faces.usecases.ingest import Accepted, Ingest
from rest.fetching.fetcher import Fetcher
from rest.metrics import Metrics
from rest.publishing import PublisherPool

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

    redis: RedisClient
    ingest: Ingest
    publishers: PublisherPool
    fetcher: Fetcher
    event_log: EventLog
    audit_log: AuditLog
    image_store: ImageStore | None
    metrics: Metrics

    def close(self) -> None:
        """Let go of Redis and RabbitMQ."""
        self.publishers.close()
        self.event_log.close()
        self.redis.close()


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
    return scanned(parts().ingest.accept(_body(), name, request_id=g.request_id, key=g.key))


@routes.post("/scan/url")
def scan_url() -> Response:
    """Take the picture at an address."""
    request.max_content_length = LONGEST_DOCUMENT
    url = _url(_body())
    g.about = {"name": url}
    fetch = parts().fetcher.fetch
    return scanned(parts().ingest.accept_url(url, fetch, request_id=g.request_id, key=g.key))


@routes.get("/match/<picture_id>")
def match(picture_id: str) -> Response:
    """Give the names of the other pictures that show a matching face."""
    g.about = {"hash": picture_id}
    _note("search", picture_id)
    names = queries.matching_names(parts().redis, picture_id)
    g.outcome = {"matches": len(names)}
    return answer(names)


@routes.get("/status/<picture_id>")
def status(picture_id: str) -> Response:
    """Give a picture's status document; 404 for a picture that was never accepted."""
    g.about = {"hash": picture_id}
    (found,) = queries.statuses(parts().redis, [picture_id])
    if found is None:
        return answer({"hash": picture_id, "state": "unknown"}, HTTPStatus.NOT_FOUND)
    return answer(found)


@routes.delete("/v1/pictures/<picture_id>")
def erase(picture_id: str) -> Response:
    """Erase a picture with all that was made from it; 404 where nothing of it is known."""
    g.about = {"hash": picture_id}
    if not is_picture_id(picture_id):
        raise NotFound("this is not a picture's hash: 64 lower-case hex digits")
    erased = erase_picture(
        parts().redis,
        parts().image_store,
        parts().audit_log,
        picture_id,
        actor=g.key,
        request_id=g.request_id,
    )
    if not erased.anything:
        raise NotFound("no picture with this hash is known: it was never accepted, or is erased")
    g.outcome = {"faces": erased.receipt.faces, "names": len(erased.receipt.names)}
    return Response(status=HTTPStatus.NO_CONTENT)


def scanned(accepted: Accepted) -> Response:
    """Answer an accepted picture with its hash."""
    g.outcome = {"hash": accepted.picture_id}
    status = HTTPStatus.ACCEPTED if accepted.new else HTTPStatus.OK
    return answer({"hash": accepted.picture_id}, status)


def answer(value: object, status: int = HTTPStatus.OK) -> Response:
    """Answer with JSON."""
    return Response(to_json(value) + "\n", status, mimetype="application/json")


def _note(did: Action, picture_id: str) -> None:
    """Note on the trail what the bearer of a key is about to do; without keys nobody is known."""
    if g.key and is_picture_id(picture_id):
        parts().audit_log.note(g.key, did, picture_id, g.request_id)


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
