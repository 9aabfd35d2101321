"""Answers to requests that never reach Flask, as `rest.problems` answers all others."""

from __future__ import annotations

import socket
from contextlib import suppress
from http import HTTPStatus

from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from werkzeug.exceptions import RequestTimeout

from faces.documents import to_json
from rest.server.headers import HEADERS
from rest.server.request_deadline import LATE

RETRY_AFTER = 5  # seconds

DETAILS = {
    HTTPStatus.REQUEST_URI_TOO_LONG: "the request line is too long: use a shorter name",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "the request has too many headers, or too long ones",
    HTTPStatus.BAD_REQUEST: "the request is not valid HTTP",
    HTTPStatus.REQUEST_TIMEOUT: LATE,
    HTTPStatus.SERVICE_UNAVAILABLE: f"there is no room for a request this large now: try again in {RETRY_AFTER} s",
    HTTPStatus.INTERNAL_SERVER_ERROR: "the server failed on this request",
}


def status_of(error: BaseException) -> HTTPStatus:
    """The status to answer an error with."""
    if isinstance(error, LimitRequestLine):
        return HTTPStatus.REQUEST_URI_TOO_LONG
    if isinstance(error, LimitRequestHeaders):
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    if isinstance(error, RequestTimeout):
        return HTTPStatus.REQUEST_TIMEOUT
    return HTTPStatus.BAD_REQUEST if isinstance(error, ParseException) else HTTPStatus.INTERNAL_SERVER_ERROR


def refuse(client: socket.socket, status: HTTPStatus) -> None:
    """Send a whole answer without waiting; the connection ends after it."""
    with suppress(OSError):
        client.send(_refusal(status), socket.MSG_DONTWAIT)


def _refusal(status: HTTPStatus) -> bytes:
    busy = status == HTTPStatus.SERVICE_UNAVAILABLE
    document = {
        "title": status.phrase,
        "status": int(status),
        "code": "busy" if busy else status.name.lower(),
        "detail": DETAILS[status],
    }
    body = to_json(document) + "\n"
    headers = {
        "Connection": "close",
        "Content-Type": "application/problem+json",
        "Content-Length": str(len(body)),
        **({"Retry-After": str(RETRY_AFTER)} if busy else {}),
        **HEADERS,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {int(status)} {status.phrase}\r\n{lines}\r\n{body}".encode()
