"""A gRPC client written from the proto alone, as a stranger would, and a server process for it to call."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from faces.config import Settings
from local.process import Process, free_port, listening, until
from tests.conftest import environ

messages, services = grpc.protos_and_services("rpc/facefleet.proto")
SECONDS = 60.0  # for anything to happen on a busy machine
PIECE = 1 << 16


class Client:
    """Calls a server, with metadata of its own."""

    def __init__(self, channel: grpc.Channel, *metadata: tuple[str, str]) -> None:
        self.stub = services.FacefleetStub(channel)
        self._metadata = metadata

    def call(self, method: str, request: Any, seconds: float = SECONDS) -> Any:
        """Call a method."""
        return getattr(self.stub, method)(request, timeout=seconds, metadata=self._metadata)

    def scan(self, data: bytes, name: str = "", piece: int = PIECE) -> Any:
        """Send a picture in pieces."""
        return self.call("ScanImage", pieces(data, piece, messages.ScanImageRequest(name=name)))

    def search(self, data: bytes, **options: Any) -> Any:
        """Search by a picture."""
        return self.call("Search", pieces(data, PIECE, messages.SearchRequest(**options)))

    def image(self, picture: str, wait: float = 0.0) -> Any:
        """Ask what is known of a picture."""
        return self.call("GetImage", messages.GetImageRequest(hash=picture, wait=wait))

    def match(self, picture: str, **options: Any) -> Any:
        """Ask which pictures match."""
        return self.call("Match", messages.MatchRequest(hash=picture, **options))

    def erase(self, picture: str) -> Any:
        """Erase a picture."""
        return self.call("Erase", messages.EraseRequest(hash=picture))

    def compare(self, first: str, second: str) -> Any:
        """Compare two pictures."""
        sides = (messages.Side(hash=picture) for picture in (first, second))
        return self.call("Compare", messages.CompareRequest(first=next(sides), second=next(sides)))

    def watch(self, **options: Any) -> Any:
        """Watch events, until cancelled."""
        return self.call("Watch", messages.WatchRequest(**options))


def pieces(data: bytes, size: int, first: Any) -> Iterator[Any]:
    """A request's first message, then a picture in pieces."""
    yield first
    for start in range(0, len(data), size):
        yield type(first)(chunk=data[start : start + size])


def refused(call: Callable[[], object]) -> tuple[str, str]:
    """The status and code that a call is refused with."""
    with pytest.raises(grpc.RpcError) as caught:
        call()
    error: Any = caught.value
    assert error.details()
    return error.code().name, str(dict(error.trailing_metadata() or ()).get("code", ""))


@contextmanager
def running(settings: Settings, folder: Path, **variables: str) -> Iterator[tuple[Process, int]]:
    """A server process; gives its port too."""
    port = free_port()
    process = Process("rpc", folder)
    more = {"RPC_PORT": str(port), "REST_THREADS": "4", **variables}
    process.start([sys.executable, "-m", "rpc"], environ(settings, folder) | more)
    try:
        assert until(lambda: listening(port), SECONDS), process.last_lines(20)
        yield process, port
    finally:
        process.kill()


@contextmanager
def connected(port: int, *metadata: tuple[str, str]) -> Iterator[Client]:
    """A client of a server on this machine, without TLS."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Client(channel, *metadata)
