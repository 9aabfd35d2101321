"""gunicorn's threads, with a bound on slow requests, and JSON for the errors that never reach Flask."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from gunicorn.http.errors import LimitRequestHeaders, LimitRequestLine, ParseException
from gunicorn.workers.gthread import ThreadWorker
from werkzeug.exceptions import RequestTimeout

from faces.config import Settings
from faces.documents import to_json
from rest.server.headers import HEADERS
from rest.server.request_deadline import LATE, RequestDeadline, TimedReader

WORK = 60.0  # seconds; what Redis and RabbitMQ may take of a request is bounded by less, each on its own
LINGER = 2.0  # seconds for a client to see that its answer has come, as gunicorn has it

DETAILS = {
    HTTPStatus.REQUEST_URI_TOO_LONG: "the request line is too long: use a shorter name",
    HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE: "the request has too many headers, or too long ones",
    HTTPStatus.BAD_REQUEST: "the request is not HTTP as this server understands it",
    HTTPStatus.REQUEST_TIMEOUT: LATE,
    HTTPStatus.INTERNAL_SERVER_ERROR: "the server has failed on this request",
}


class JsonThreadWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn has no types
    """Answers such errors as `rest.problems` answers all others, and ends what is too slow."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        settings: Settings = self.app.settings
        self._seconds = settings.request_timeout
        self._whole = 2 * settings.request_timeout + settings.fetch_timeout + WORK
        self._arrivals: dict[Any, RequestDeadline] = {}

    def handle(self, conn: Any) -> Any:
        """Handle one request on a connection, in a thread of the pool."""
        deadline = self._arrivals[conn] = RequestDeadline(conn.sock, self._seconds, self._whole)
        try:
            outcome = super().handle(conn)
        finally:
            del self._arrivals[conn]
        if deadline.late and not deadline.begun:
            self._refuse(conn.sock, HTTPStatus.REQUEST_TIMEOUT)
        if deadline.late or outcome is False:
            _linger(conn.sock)
            return False
        return outcome

    def handle_request(self, req: Any, conn: Any) -> Any:
        """Handle a request whose head has come."""
        deadline = self._arrivals[conn]
        deadline.begun = True
        req.body.reader = TimedReader(req.body.reader, deadline)
        return super().handle_request(req, conn)

    def murder_pending(self) -> None:
        """End what is due; gunicorn's loop comes by here at least once a second."""
        super().murder_pending()
        for deadline in list(self._arrivals.values()):
            deadline.look(time.monotonic())

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:  # noqa: ARG002 -- gunicorn's
        """Log an error and answer it."""
        status = _status(exc)
        self.log.warning("request from %s refused with %d: %s", addr, status, type(exc).__name__)
        self._refuse(client, status)

    def _refuse(self, client: Any, status: HTTPStatus) -> None:
        with suppress(OSError):
            client.sendall(_answer(status))


def _linger(connection: socket.socket) -> None:
    """Take what the client still sends, or it might not see its answer (RFC 9112, section 9.6).

    gunicorn does so too, but on the one thread that accepts connections; after this it has nothing to wait for.
    """
    end = time.monotonic() + LINGER
    with suppress(OSError):  # the client may be gone
        connection.shutdown(socket.SHUT_WR)
        while (left := end - time.monotonic()) > 0:
            connection.settimeout(left)
            if not connection.recv(65536):
                break
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RD)


def _status(error: BaseException) -> HTTPStatus:
    if isinstance(error, LimitRequestLine):
        return HTTPStatus.REQUEST_URI_TOO_LONG
    if isinstance(error, LimitRequestHeaders):
        return HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
    if isinstance(error, RequestTimeout):
        return HTTPStatus.REQUEST_TIMEOUT
    return HTTPStatus.BAD_REQUEST if isinstance(error, ParseException) else HTTPStatus.INTERNAL_SERVER_ERROR


def _answer(status: HTTPStatus) -> bytes:
    document = {
        "title": status.phrase,
        "status": int(status),
        "code": status.name.lower(),
        "detail": DETAILS[status],
    }
    body = to_json(document) + "\n"
    headers = {
        "Connection": "close",
        "Content-Type": "application/problem+json",
        "Content-Length": str(len(body)),
        **HEADERS,
    }
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {int(status)} {status.phrase}\r\n{lines}\r\n{body}".encode()
