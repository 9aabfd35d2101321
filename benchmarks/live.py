"""`python -m benchmarks.live`: from a commit to those who listen to events, and what listeners cost the others.

Events are written at a steady rate by transactions like the fleet's; one listener notes when each comes, and the
event's id says when it was written. The named peer of `GET /match` beside listeners: the same without any, in the
same run.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import selectors
import socket
import statistics
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import replace

from benchmarks.slow_clients import ask, server
from faces.config import Settings
from faces.store.client import RedisClient
from faces.store.pictures.accept import accept

REQUEST = b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--listeners", type=int, default=200)
    parser.add_argument("--rate", type=float, default=50, help="events a second")
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
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
                    show(f"event to listener, {count} listening", latencies)
            with writing(redis, rate):
                alone = [ask(port) for _ in range(300)]
            with listening(port, listeners), writing(redis, rate):
                crowded = [ask(port) for _ in range(300)]
    show("GET /match alone", alone)
    show(f"GET /match, {listeners} listening", crowded)
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


def show(what: str, times: Sequence[float]) -> None:
    """Print how often something was measured, and its median and 99th percentile."""
    ordered = sorted(times)
    p99 = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    print(
        f"{what:36} {len(ordered):5d}  p50 {statistics.median(ordered):7.1f} ms  p99 {p99:7.1f} ms",
        flush=True,
    )


if __name__ == "__main__":
    main()
