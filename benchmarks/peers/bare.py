"""A server with one route that does nothing: what every request costs, whatever it asks for."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flask import Flask

from local.process import Process, free_port, listening, until


def create() -> Flask:
    """Create the application."""
    app = Flask(__name__)

    @app.get("/")
    def root() -> dict[str, str]:
        return {"hello": "world"}

    return app


@contextmanager
def bare_server(folder: Path) -> Iterator[int]:
    """Run it under gunicorn with threads, as ours runs; gives its port."""
    port = free_port()
    process = Process("bare", folder)
    options = ["--bind", f"127.0.0.1:{port}", "--worker-class", "gthread", "--threads", "8"]
    process.start([sys.executable, "-m", "gunicorn", *options, "benchmarks.peers.bare:create()"], os.environ)
    try:
        if not until(lambda: listening(port), 60):
            raise SystemExit(f"the bare server did not start:\n{process.last_lines()}")
        yield port
    finally:
        process.stop()
