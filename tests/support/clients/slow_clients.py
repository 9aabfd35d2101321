"""Clients and hosts that keep a server waiting: silent connections, dripping uploads, URLs that never answer."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

ESTABLISHED = "01"


def read_up(port: int) -> bool:
    """Tell whether a server on this machine has accepted all connections to its port, and read all that came."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, queues, _, _, _, _, inode, *_ = line.split()
        if local.endswith(f":{port:04X}") and state == ESTABLISHED:
            unread = int(queues.partition(":")[2], 16)
            if unread or inode == "0":
                return False
    return True


@contextmanager
def stalled_host() -> Iterator[str]:
    """A host that accepts connections and never answers; gives its URL."""
    with ExitStack() as opened:
        listening = opened.enter_context(socket.create_server(("127.0.0.1", 0), backlog=100))
        closing = threading.Event()

        def accept() -> None:
            while not closing.is_set():
                with suppress(TimeoutError):
                    opened.enter_context(listening.accept()[0])

        listening.settimeout(0.1)
        thread = threading.Thread(target=accept)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/picture.jpg"
        finally:
            closing.set()
            thread.join()


@contextmanager
def slow_clients(port: int, count: int, url: str) -> Iterator[None]:
    """`count` silent connections, as many uploads that drip, and as many requests to fetch a URL."""
    body = f'{{"url": "{url}"}}'.encode()
    fetch = b"POST /scan/url HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    upload = b"POST /scan/image/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n"
    closing = threading.Event()
    with ExitStack() as opened:

        def connect() -> socket.socket:
            return opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))

        for _ in range(count):
            connect()
            connect().sendall(fetch)
        dripping = [connect() for _ in range(count)]
        for connection in dripping:
            connection.sendall(upload)

        def drip() -> None:
            while not closing.wait(0.1):
                for connection in dripping:
                    with suppress(OSError):
                        connection.sendall(b".")

        thread = threading.Thread(target=drip)
        thread.start()
        try:
            yield
        finally:
            closing.set()
            thread.join()
