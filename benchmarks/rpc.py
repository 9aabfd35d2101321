"""`python -m benchmarks.rpc FOLDER`: ScanImage and Match over gRPC beside the same over HTTP.

    python -m benchmarks.rpc FOLDER [--calls 100] [--rounds 5]

Both servers run on the same Redis and RabbitMQ, and each has one client with one connection, which sends one
request after the other; rounds of both alternate. The named peer is the HTTP server: `POST /v1/images` with a raw
body, and `GET /v1/images/<hash>/matches`. Pictures are those of the folder, each made another by bytes behind its
end, and the same padded to 5 MB. A worker has found the matches of 20 of them before; it is stopped while anything
is measured. The servers' processor time is read from /proc.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import grpc

from benchmarks.material.pictures import pictures_in
from benchmarks.pipeline import System, running
from benchmarks.scan import processor_seconds
from local.process import Process, free_port, listening, until

Call = Callable[[], str]

LARGE = 5_000_000  # bytes
PIECE = 1 << 16
ALIKE = 20  # pictures of the same faces
messages, services = grpc.protos_and_services("rpc/facefleet.proto")
numbers = itertools.count()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="gRPC beside HTTP")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--calls", type=int, default=100, help="in a round")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    pictures = [path.read_bytes() for path in pictures_in(options.folder, 20)]
    with running(1) as system, served(system) as (stub, pid):
        http = Http(system.settings.rest_port)
        asked = alike(system, http, pictures[0])
        large = [data.ljust(LARGE, b"\0") for data in pictures]
        size = sum(map(len, pictures)) // len(pictures) // 1000
        servers = (pid, system.others["server"].pid or 0)
        for what, ours, theirs, calls in (
            (f"ScanImage, {size} kB", sends(stub, pictures), posts(http, pictures), options.calls),
            ("ScanImage, 5 MB", sends(stub, large), posts(http, large), options.calls // 5),
            (f"Match, {ALIKE - 1} matches", matches(stub, asked), gets(http, asked), options.calls),
        ):
            print(row(what, (ours, theirs), servers, calls, options.rounds), flush=True)


@contextmanager
def served(system: System) -> Iterator[tuple[Any, int]]:
    """A gRPC server of a system; gives a client's stub, and the server's pid."""
    port, settings = free_port(), system.settings
    variables = {
        "REDIS_PORT": str(settings.redis_port),
        "RABBITMQ_PORT": str(settings.rabbitmq_port),
        "RPC_PORT": str(port),
        "LOG_LEVEL": "warning",
    }
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        process = Process("rpc", folder)
        process.start([sys.executable, "-m", "rpc"], {**os.environ, **variables})
        stack.callback(process.stop)
        if not until(lambda: listening(port), 60):
            raise SystemExit("the gRPC server did not start")
        channel = stack.enter_context(grpc.insecure_channel(f"127.0.0.1:{port}"))
        yield services.FacefleetStub(channel), process.pid or 0


def alike(system: System, http: Http, data: bytes) -> str:
    """Have a worker find the matches of some pictures of the same faces, and stop it; gives the hash of one."""
    post = posts(http, [data])
    found = [post() for _ in range(ALIKE)]
    if not until(lambda: system.settled(found), 300, pause=0.5):
        raise SystemExit("the pictures were not processed within five minutes")
    for worker in system.workers:
        worker.stop()
    return found[0]


def row(what: str, calls: tuple[Call, Call], servers: tuple[int, int], in_a_round: int, rounds: int) -> str:
    """Measure rounds of both in turn, gRPC first: medians, and their servers' processor time a call."""
    for call in calls:
        call()
    taken: tuple[list[float], list[float]] = ([], [])
    used, ratios = [0.0, 0.0], []
    for _ in range(rounds):
        medians = []
        for place, call in enumerate(calls):
            before = processor_seconds(servers[place])
            new = [seconds(call) for _ in range(in_a_round)]
            used[place] += processor_seconds(servers[place]) - before
            taken[place].extend(new)
            medians.append(statistics.median(new))
        ratios.append(medians[1] / medians[0])
    ours, theirs = (1e3 * statistics.median(times) for times in taken)
    busy, busy_there = (1e3 * each / (rounds * in_a_round) for each in used)
    return (
        f"{what:20} gRPC {ours:6.1f} ms, HTTP {theirs:6.1f} ms: HTTP/gRPC {statistics.median(ratios):.2f} "
        f"(min {min(ratios):.2f}, max {max(ratios):.2f}); of the server's processor {busy:.2f} and "
        f"{busy_there:.2f} ms: {busy_there / busy:.2f}"
    )


def seconds(call: Callable[[], str]) -> float:
    """Time a call."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def fresh(pictures: list[bytes]) -> bytes:
    """A picture that was not sent before."""
    number = next(numbers)
    return pictures[number % len(pictures)] + str(number).encode()


def sends(stub: Any, pictures: list[bytes]) -> Call:
    """Send a new picture over gRPC."""

    def pieces(data: bytes) -> Iterator[Any]:
        return (messages.ScanImageRequest(chunk=data[at : at + PIECE]) for at in range(0, len(data), PIECE))

    return lambda: str(stub.ScanImage(pieces(fresh(pictures))).hash)


class Http:
    """The HTTP server, on one connection; opened anew after a pause, in which the server may have closed it."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port)
        self._used = 0.0

    def ask(self, method: str, path: str, body: bytes = b"") -> Any:
        """Make a request; gives the JSON of the answer."""
        if time.monotonic() - self._used > 1:
            self._connection.close()
        self._connection.request(method, path, body, {"Content-Type": "application/octet-stream"})
        document = json.loads(self._connection.getresponse().read())
        self._used = time.monotonic()
        return document


def posts(http: Http, pictures: list[bytes]) -> Call:
    """Send a new picture over HTTP."""
    return lambda: str(http.ask("POST", "/v1/images", fresh(pictures))["items"][0]["hash"])


def matches(stub: Any, picture: str) -> Call:
    """Ask for matches over gRPC."""
    return lambda: str(stub.Match(messages.MatchRequest(hash=picture)).hash)


def gets(http: Http, picture: str) -> Call:
    """Ask for matches over HTTP."""
    return lambda: str(http.ask("GET", f"/v1/images/{picture}/matches")["hash"])


if __name__ == "__main__":
    main()
