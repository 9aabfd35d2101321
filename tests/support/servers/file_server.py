"""A web server of pictures, and how the examples are run."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- as the library has it
        pass


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """A web server of pictures on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def put(text: str, places: dict[str, str]) -> str:
    """Put the places of this test where the README has its own."""
    for there, here in places.items():
        text = text.replace(there, here)
    return text
