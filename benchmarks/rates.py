"""`python -m benchmarks.rates [FOLDER]`: requests a second that the server answers, beside a bare Flask route.

Both run under gunicorn with eight threads, one process each, and are asked in turn by 4 and by 32 clients that keep
their connections. Ours has its Redis and RabbitMQ, so that log lines are sent and POSTs confirmed. With a folder of
pictures the fleet is busy: a worker has them to process all the while.
"""

from __future__ import annotations

import argparse
import socket
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.material.pictures import pictures_in
from benchmarks.peers.bare import bare_server
from benchmarks.pipeline import System, running
from faces.picture_id import picture_id_of

CLIENTS = (4, 32)
GIF = (  # one white pixel
    b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00"
    b",\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
)

Request = Callable[[], bytes]


@dataclass
class Load:
    """What some clients measured: the milliseconds of each request, and the seconds all took."""

    times: list[float] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.times) / self.seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, nargs="?", help="pictures that keep a worker busy")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    options = parser.parse_args()
    with running(1 if options.folder else 0) as system, tempfile.TemporaryDirectory() as folder:
        if options.folder:
            _occupy(system, pictures_in(options.folder, 100), options.rounds)
        with bare_server(Path(folder)) as bare:
            for clients in CLIENTS:
                _compare(_requests(system, bare), clients, options.rounds, options.seconds)


def _requests(system: System, bare: int) -> dict[str, tuple[int, Request]]:
    """What is asked, where; the bare route is first."""
    port = urlsplit(system.url).port or 0
    numbers = count()
    picture_id = picture_id_of(GIF)
    once(port, _post(b"GIF", GIF))
    return {
        "GET / (bare Flask)": (bare, lambda: _get("/")),
        "GET /match/HASH": (port, lambda: _get(f"/match/{picture_id}")),
        "GET /status/HASH": (port, lambda: _get(f"/status/{picture_id}")),
        "GET /v1/images/HASH": (port, lambda: _get(f"/v1/images/{picture_id}")),
        "POST /scan/image, confirmed": (
            port,
            lambda: _post(b"new", GIF + sha256(b"%d" % next(numbers)).digest()),
        ),
    }


def _compare(requests: dict[str, tuple[int, Request]], clients: int, rounds: int, seconds: float) -> None:
    """Ask for each thing in turn, and print the medians of the rounds."""
    loads = [
        {what: load(port, ask, clients, seconds) for what, (port, ask) in requests.items()}
        for _ in range(rounds)
    ]
    bare = next(iter(requests))
    print(f"{clients} clients")
    for what in requests:
        ratio = statistics.median(some[what].rate / some[bare].rate for some in loads)
        rate = statistics.median(some[what].rate for some in loads)
        times = sorted(time for some in loads for time in some[what].times)
        p50, p99 = times[len(times) // 2], times[len(times) * 99 // 100]
        print(f"  {what:30} {rate:7.0f}/s  x{ratio:5.2f}  p50 {p50:6.1f} ms  p99 {p99:6.1f} ms", flush=True)


def load(port: int, ask: Request, clients: int, seconds: float) -> Load:
    """Have clients send requests, each its next when the last one is answered."""
    ending = threading.Event()
    begun = time.monotonic()
    with ThreadPoolExecutor(clients) as pool:
        jobs = [pool.submit(_client, port, ask, ending) for _ in range(clients)]
        ending.wait(seconds)
        ending.set()
        times = [time for job in jobs for time in job.result()]
    return Load(times, time.monotonic() - begun)


def once(port: int, request: bytes) -> None:
    """Send one request."""
    with closing(socket.create_connection(("127.0.0.1", port), 60)) as connection:
        _answered(connection, request)


def _client(port: int, ask: Request, ending: threading.Event) -> list[float]:
    times = []
    with closing(socket.create_connection(("127.0.0.1", port), 60)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while not ending.is_set():
            begun = time.monotonic()
            _answered(connection, ask())
            times.append((time.monotonic() - begun) * 1000)
    return times


def _answered(connection: socket.socket, request: bytes) -> None:
    """Send a request and read its answer: a client that costs the cores little."""
    connection.sendall(request)
    answer = b""
    while (end := answer.find(b"\r\n\r\n")) < 0:
        answer += _some(connection)
    if not answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 202")):
        raise SystemExit(f"the server answered {answer!r}")
    length = int(answer[:end].lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
    while len(answer) < end + 4 + length:
        answer += _some(connection)


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise SystemExit("the server closed the connection")
    return data


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()


def _post(name: bytes, body: bytes) -> bytes:
    return b"POST /scan/image/%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (
        name,
        len(body),
        body,
    )


def _occupy(system: System, paths: Sequence[Path], rounds: int) -> None:
    """Queue pictures enough for the whole measurement."""
    port = urlsplit(system.url).port or 0
    for number, picture in _copies([path.read_bytes() for path in paths], 20 * rounds):
        once(port, _post(b"busy%d" % number, picture))


def _copies(pictures: Sequence[bytes], times: int) -> Iterator[tuple[int, bytes]]:
    """Pictures again and again, each time with a byte behind the end that makes another picture of it."""
    for number in range(times * len(pictures)):
        yield number, pictures[number % len(pictures)] + number.to_bytes(3, "big")


if __name__ == "__main__":
    main()
