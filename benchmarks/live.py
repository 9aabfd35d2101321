"""`python -m benchmarks.live`: from a commit to those who listen to events, and what listeners cost the others.

Events are written at a steady rate by transactions like the fleet's; one listener notes when each comes, and the
event's id says when it was written. The named peer of `GET /match` beside listeners: the same without any, in the
same run.

`python -m benchmarks.live --search FOLDER`: how long a search takes, with nothing in the queue and with pictures
waiting, on one worker with the real engine; pictures of at most 320 pixels.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import itertools
import selectors
import socket
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path

from PIL import Image

from benchmarks.pictures import pictures_in
from benchmarks.pipeline import running
from benchmarks.slow_clients import ask, server
from faces.amqp import Publisher
from faces.config import Settings
from faces.message import Message, encode
from faces.picture_id import picture_id_of
from faces.store import queries
from faces.store.accept import accept
from faces.store.client import RedisClient
from faces.topology import PICTURE_KEY, PICTURES_EXCHANGE
from faces.usecases.ingest import accept_and_publish

REQUEST = b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--listeners", type=int, default=200)
    parser.add_argument("--rate", type=float, default=50, help="events a second")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument(
        "--search", type=Path, metavar="FOLDER", help="measure searches by its pictures instead"
    )
    parser.add_argument("--waiting", type=int, default=10_000, help="pictures in the queue while searching")
    parser.add_argument("--searches", type=int, default=100)
    options = parser.parse_args()
    if options.search:
        _search(pictures_in(options.search, 50), options.waiting, options.searches)
    else:
        _listen(options.listeners, options.rate, options.seconds)


def _listen(listeners: int, rate: float, seconds: float) -> None:
    with server() as (port, redis_port):
        settings = replace(Settings(), redis_host="127.0.0.1", redis_port=redis_port)
        with closing(RedisClient(settings)) as redis:
            for count in (1, listeners):
                with listening(port, count) as latencies, writing(redis, rate):
                    time.sleep(1)
                    latencies.clear()
                    time.sleep(seconds)
                    _print(f"event to listener, {count} listening", latencies)
            with writing(redis, rate):
                alone = [ask(port) for _ in range(300)]
            with listening(port, listeners), writing(redis, rate):
                crowded = [ask(port) for _ in range(300)]
    _print("GET /match alone", alone)
    _print(f"GET /match, {listeners} listening", crowded)
    print(f"ratio of medians {statistics.median(crowded) / statistics.median(alone):.2f}")


@contextmanager
def listening(port: int, count: int) -> Iterator[list[float]]:
    """Have listeners follow all events; gives the milliseconds from each event to the first of them."""
    latencies: list[float] = []
    closing_ = threading.Event()
    with ExitStack() as opened:
        chosen = opened.enter_context(selectors.DefaultSelector())
        for number in range(count):
            connection = opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=30))
            connection.sendall(REQUEST)
            chosen.register(connection, selectors.EVENT_READ, number)

        def read() -> None:
            while not closing_.is_set():
                for key, _ in chosen.select(0.1):
                    data = key.fileobj.recv(1 << 16)  # type: ignore[union-attr]  # they are sockets
                    if key.data == 0:
                        latencies.extend(_latencies(data))

        thread = threading.Thread(target=read)
        thread.start()
        try:
            yield latencies
        finally:
            closing_.set()
            thread.join()


@contextmanager
def writing(redis: RedisClient, rate: float) -> Iterator[None]:
    """Have pictures accepted at a steady rate."""
    closing_ = threading.Event()

    def write() -> None:
        for number in itertools.count():
            accept(redis, hashlib.sha256(f"{time.time()} {number}".encode()).hexdigest(), f"picture {number}")
            if closing_.wait(1 / rate):
                return

    thread = threading.Thread(target=write)
    thread.start()
    try:
        yield
    finally:
        closing_.set()
        thread.join()


def _latencies(data: bytes) -> Iterator[float]:
    now = time.time() * 1000
    for block in data.split(b"\n\n"):
        number, _, rest = block.partition(b"\n")
        if number.startswith(b"id: ") and rest.startswith(b"event: "):
            yield now - int(number[4:].partition(b"-")[0])


def _search(paths: Sequence[Path], waiting: int, searches: int) -> None:
    pictures = [_small(path) for path in paths]
    with running(1) as system:
        system.take([data + b"stored" for data in pictures])
        _print("search, empty queue", _searches(system.url, pictures, searches))
        publisher = Publisher(system.settings)

        def publish(message: Message) -> None:
            publisher.publish(PICTURES_EXCHANGE, PICTURE_KEY, *encode(message))

        for number in range(waiting + 500):  # some are done before the search begins
            data = pictures[number % len(pictures)] + b"%d" % number
            accept_and_publish(
                system.redis, publish, None, Message(picture_id_of(data), f"picture {number}", data)
            )
        publisher.close()
        before = queries.counts(system.redis).in_flight
        times = _searches(system.url, pictures, searches)
        after = queries.counts(system.redis).in_flight
        _print(f"search, {before:,} to {after:,} waiting", times)


def _small(path: Path) -> bytes:
    """A picture of at most 320 pixels: what counts is how many wait."""
    with Image.open(path) as picture:
        picture.thumbnail((320, 320))
        file = io.BytesIO()
        picture.convert("RGB").save(file, "JPEG")
    return file.getvalue()


def _searches(url: str, pictures: Sequence[bytes], count: int) -> list[float]:
    """Search one after the other; milliseconds."""
    connection = HTTPConnection(url.removeprefix("http://"), timeout=60)
    times = []
    for number in range(count):
        begun = time.monotonic()
        connection.request("POST", "/v1/search", pictures[number % len(pictures)] + b"new")
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"the server answered {answer.status}: {body!r}")
        times.append((time.monotonic() - begun) * 1000)
    return times


def _print(what: str, times: Sequence[float]) -> None:
    ordered = sorted(times)
    p99 = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    print(
        f"{what:36} {len(ordered):5d}  p50 {statistics.median(ordered):7.1f} ms  p99 {p99:7.1f} ms",
        flush=True,
    )


if __name__ == "__main__":
    main()
