"""gunicorn's threads, with JSON for the errors that never reach Flask: requests that are not HTTP, or too long."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus
from typing import Any

from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.workers.gthread import ThreadWorker

from faces.documents import to_json

DETAILS = {
    HTTPStatus.REQUEST_URI_TOO_LONG: "the request line is too long: use a shorter name",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "the request has too many headers, or too long ones",
    HTTPStatus.BAD_REQUEST: "the request is not HTTP as this server understands it",
    HTTPStatus.INTERNAL_SERVER_ERROR: "the server has failed on this request",
}


class JsonThreads(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Answers such errors as `rest.problems` answers all others."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:  # noqa: ARG002 -- gunicorn's
        """Log an error and answer it."""
        status = _status(exc)
        self.log.warning("request from %s refused with %d: %s", addr, status, exc)
        with suppress(OSError):
            client.sendall(_answer(status))


def _status(error: BaseException) -> HTTPStatus:
    if isinstance(error, LimitRequestLine):
        return HTTPStatus.REQUEST_URI_TOO_LONG
    if isinstance(error, LimitRequestHeaders):
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    return HTTPStatus.BAD_REQUEST if isinstance(error, ParseException) else HTTPStatus.INTERNAL_SERVER_ERROR


def _answer(status: HTTPStatus) -> bytes:
    document = {
        "title": status.phrase,
        "status": int(status),
        "code": status.name.lower(),
        "detail": DETAILS[status],
    }
    body = to_json(document) + "\n"
    return (
        f"HTTP/1.1 {int(status)} {status.phrase}\r\nConnection: close\r\n"
        f"Content-Type: application/problem+json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    ).encode()
