"""How a view hands its connection to a thread that serves many: a stream must not occupy a request thread."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from typing import Any

TAKEOVER = "facefleet.takeover"

Take = Callable[[socket.socket, bytes], None]
"""Takes a connection, and the head of the answer to send on it first."""


class TakenOver(BaseException):
    """The connection belongs to somebody else now. It passes gunicorn by, which would answer an Exception."""


def offer(environ: dict[str, Any], take: Take) -> None:
    """Have the connection of a request taken over, if the view and all that follow it answer below 300."""
    environ[TAKEOVER] = take


def installed(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """Wrap a WSGI application so that connections offered by its views are taken over."""

    def call(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        started: list[tuple[str, list[tuple[str, str]]]] = []

        def begin(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
            if TAKEOVER not in environ or not status < "3":
                return start_response(status, headers, exc_info)
            started.append((status, headers))
            return lambda _: None

        body = app(environ, begin)
        if not started:
            return body
        if hasattr(body, "close"):
            body.close()
        ((status, headers),) = started
        own = environ["gunicorn.socket"].dup()
        try:
            environ[TAKEOVER](own, _head(status, headers))
        except BaseException:
            own.close()
            raise
        raise TakenOver

    return call


def _head(status: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """The head of an answer whose body ends with the connection, or of an upgrade."""
    kept = [(name, value) for name, value in headers if name.lower() != "content-length"]
    if not any(name.lower() == "connection" for name, _ in kept):
        kept.append(("Connection", "close"))
    lines = "".join(f"{name}: {value}\r\n" for name, value in kept)
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1")
