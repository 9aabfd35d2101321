"""HTTP over plain sockets, as clients that behave badly speak it."""

from __future__ import annotations

import json
import socket
import time
from typing import NamedTuple


class Answer(NamedTuple):
    """An answer as it came, whole, and after how many seconds."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float

    @property
    def code(self) -> str:
        return str(json.loads(self.body)["code"])


def ask(port: int, *pieces: bytes, pause: float = 0.0) -> Answer:
    """Send a request, its last piece again and again while there is a pause, and read the answer."""
    begun = time.monotonic()
    with connected(port, b"".join(pieces)) as connection:
        if pause:
            _drip(connection, pieces[-1], pause)
        return answer_on(connection, begun)


def connected(port: int, data: bytes) -> socket.socket:
    """Send something on a connection. Connections are accepted in the order in which they were opened."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection.sendall(data)
    return connection


def answer_on(connection: socket.socket, begun: float = 0.0) -> Answer:
    """Read an answer, to the end of the connection; `begun` is the time its seconds count from."""
    raw = b""
    while more := connection.recv(1 << 20):
        raw += more
    return _parsed(raw, time.monotonic() - begun)


def _drip(connection: socket.socket, piece: bytes, pause: float) -> None:
    """Send a piece at a time until something comes back."""
    connection.settimeout(pause)
    while True:
        try:
            connection.recv(1, socket.MSG_PEEK)
            break
        except TimeoutError:
            connection.sendall(piece)
    connection.settimeout(20)


def _parsed(raw: bytes, took: float) -> Answer:
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Answer(int(first.split()[1]), headers, body, took)


def head(length: int | None = None, path: str = "/scan/image/a", *more: str) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", "Connection: close", *more]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


PLAIN = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
CHUNKED = head(None, "/scan/image/a", "Transfer-Encoding: chunked")
