"""`python -m benchmarks.slow_clients`: how long `GET /match` takes while others keep the server waiting.

30 URLs whose host never answers, 30 connections that send nothing, and 30 uploads that drip, all at once. The named
peer, in the same run: the same requests with nobody else there.
"""

from __future__ import annotations

import argparse
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path

from local.process import Process, free_port, listening, until
from local.redis import RedisServer

UPLOAD = b"POST /scan/image/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="GET /match while slow clients hang on the server")
    parser.add_argument("--clients", type=int, default=30, help="of each kind")
    parser.add_argument("--requests", type=int, default=300)
    options = parser.parse_args()
    with server() as (port, _):
        alone = sorted(ask(port) for _ in range(options.requests))
        with slow_clients(port, options.clients):
            time.sleep(1)
            crowded = sorted(ask(port) for _ in range(options.requests))
    for who, times in (("alone", alone), ("with slow clients", crowded)):
        print(f"{who:18}  median {statistics.median(times):6.2f} ms  p99 {times[-len(times) // 100]:6.2f} ms")
    print(f"ratio of medians {statistics.median(crowded) / statistics.median(alone):.2f}")


@contextmanager
def server(**settings: str) -> Iterator[tuple[int, int]]:
    """A server with its Redis; it needs no RabbitMQ for this. Gives their ports."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = RedisServer(folder / "redis", free_port())
        redis.start()
        stack.callback(redis.stop)
        port = free_port()
        variables = {
            "REDIS_PORT": str(redis.port),
            "RABBITMQ_PORT": str(free_port()),
            "REST_PORT": str(port),
            "LOG_LEVEL": "error",
            "FETCH_ALLOW": "127.0.0.1",
            **settings,
        }
        process = Process("rest", folder)
        process.start([sys.executable, "-m", "rest"], {**os.environ, **variables})
        stack.callback(process.stop)
        if not until(lambda: listening(port), 60):
            raise SystemExit("the server did not start")
        yield port, redis.port


@contextmanager
def slow_clients(port: int, count: int) -> Iterator[None]:
    """Keep a server waiting in three ways."""
    closing = threading.Event()
    with ExitStack() as opened:
        silent_host = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=2 * count))
        url = f"http://127.0.0.1:{silent_host.getsockname()[1]}/a.jpg"

        def connect(first: bytes) -> socket.socket:
            connection = opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            connection.sendall(first)
            return connection

        def drip(connections: list[socket.socket]) -> None:
            while not closing.wait(0.2):
                for number, connection in enumerate(connections):
                    try:
                        connection.sendall(b".")
                    except OSError:  # refused or timed out: another one comes
                        connections[number] = connect(UPLOAD)

        body = f'{{"url": "{url}"}}'.encode()
        fetch = b"POST /scan/url HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (
            len(body),
            body,
        )
        for _ in range(count):
            connect(fetch)
            connect(b"")
        thread = threading.Thread(target=drip, args=([connect(UPLOAD) for _ in range(count)],))
        thread.start()
        try:
            yield
        finally:
            closing.set()
            thread.join()


def ask(port: int) -> float:
    """Ask for the matches of a picture on a connection of its own; milliseconds."""
    begun = time.monotonic()
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", f"/match/{'0' * 64}")
    answer = connection.getresponse()
    if answer.status != 200:
        raise SystemExit(f"the server answered {answer.status}")
    answer.read()
    connection.close()
    return (time.monotonic() - begun) * 1000


if __name__ == "__main__":
    main()
