"""Servers of strangers, that answer as they like, and fetchers that reach them."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Self

import pytest

from faces.errors import FetchError
from rest.fetching.fetcher import DetectionResult, Fetcher

Answer = Callable[[socket.socket, bytes], None]
PICTURE = b"\x89PNG the bytes of a picture"


def response(
    body: bytes = PICTURE, status: str = "200 OK", *headers: str, length: int | None = None
) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def says(answer: bytes) -> Answer:
    return lambda connection, _: connection.sendall(answer)


def redirects(location: str) -> Answer:
    return says(response(b"", "302 Found", f"Location: {location}"))


def _complete(head: bytes) -> bool:
    """A request's head, or the beginning of a TLS handshake, which is answered at once."""
    return b"\r\n\r\n" in head or head.startswith(b"\x16")


class Server:
    """Answers each connection on a loopback port as it is told, then closes it."""

    def __init__(self, answer: Answer, tls: ssl.SSLContext | None = None, address: str = "127.0.0.1") -> None:
        self.requests: list[bytes] = []
        self._answer, self._tls = answer, tls
        self._listening = socket.create_server(
            (address, 0), family=socket.AF_INET6 if ":" in address else socket.AF_INET
        )
        self._threads = [threading.Thread(target=self._accept)]
        self.port: int = self._listening.getsockname()[1]

    def url(self, host: str = "pictures.example", path: str = "/a.png", scheme: str = "http") -> str:
        return f"{scheme}://{host}:{self.port}{path}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive()
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(10)
            try:
                if self._tls:
                    connection = self._tls.wrap_socket(connection, server_side=True)
                with connection:
                    head = b""
                    while not _complete(head) and (more := connection.recv(4096)):
                        head += more
                    self.requests.append(head)
                    self._answer(connection, head)
            except OSError:
                return  # the client has had enough


class Names:
    """A resolver that knows a few names, and counts how often it is asked."""

    def __init__(self, **addresses: Sequence[str]) -> None:
        self.asked: list[str] = []
        self._addresses = {name.replace("_", "."): list(found) for name, found in addresses.items()}

    def __call__(self, host: str, port: int, *, type: socket.SocketKind) -> Sequence[DetectionResult]:  # noqa: A002 - getaddrinfo's
        self.asked.append(host)
        if host not in self._addresses:
            raise socket.gaierror(-2, "Name or service not known")
        return [self._found(address, port, type) for address in self._addresses[host]]

    @staticmethod
    def _found(address: str, port: int, kind: socket.SocketKind) -> DetectionResult:
        if ":" in address:
            return socket.AF_INET6, kind, 6, "", (address, port, 0, 0)
        return socket.AF_INET, kind, 6, "", (address, port)


def loopback() -> Names:
    return Names(pictures_example=["127.0.0.1"])


def fetcher(names: Names | None = None, **settings: Any) -> Fetcher:
    defaults: dict[str, Any] = {
        "max_bytes": 100_000,
        "total_timeout": 10,
        "connect_timeout": 5,
        "max_redirects": 3,
        "allow": ["127.0.0.1"],
        "resolver": names or loopback(),
    }
    return Fetcher(**defaults | settings)


def refusal(url: str, fetching: Fetcher) -> FetchError:
    with pytest.raises(FetchError) as caught:
        fetching.fetch(url)
    return caught.value


def endless(head: bytes, part: bytes) -> Answer:
    def answer(connection: socket.socket, _: bytes) -> None:
        connection.sendall(head)
        while True:
            connection.sendall(part)

    return answer


PLAIN = b"HTTP/1.1 200 OK\r\n\r\n"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunked(body: bytes) -> bytes:
    return b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)


def drips(head: bytes, part: bytes = b"x") -> Answer:
    def answer(connection: socket.socket, _: bytes) -> None:
        connection.sendall(head)
        while True:
            time.sleep(0.02)
            connection.sendall(part)

    return answer


def stays_silent(connection: socket.socket, _: bytes) -> None:
    connection.recv(1)  # until the client goes
