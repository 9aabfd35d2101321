"""A serving process is replaced if it stands still, and not because nobody asks anything of it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from faces.config import Settings
from local.process import Process, free_port, listening, until
from tests.conftest import environ
from tests.support.processes.family import children

MAX_SILENCE = 2  # seconds
IMPATIENT = f"import rest.__main__ as rest; rest.MAX_SILENCE = {MAX_SILENCE}; rest.main()"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Process, int]]:
    """A server without Redis and RabbitMQ, and its port."""
    settings = Settings(redis_port=free_port(), rabbitmq_port=free_port(), rest_port=free_port())
    process = Process("rest", tmp_path)
    more = {"REST_PORT": str(settings.rest_port), "REST_THREADS": "4"}
    process.start([sys.executable, "-c", IMPATIENT], environ(settings, tmp_path) | more)
    try:
        assert until(lambda: listening(settings.rest_port), 60), process.last_lines(20)
        yield process, settings.rest_port
    finally:
        process.stop()


def test_an_idle_process_stays(server: tuple[Process, int]) -> None:
    process, _ = server
    assert not until(lambda: "WORKER TIMEOUT" in process.log.read_text(), 3 * MAX_SILENCE)


def test_a_process_that_stands_still_is_replaced(server: tuple[Process, int]) -> None:
    process, port = server
    assert requests.get(f"http://127.0.0.1:{port}/healthz", timeout=60).ok
    assert process.pid is not None
    (child,) = children(process.pid)
    os.kill(child, signal.SIGSTOP)
    assert requests.get(f"http://127.0.0.1:{port}/healthz", timeout=60).ok
    assert child not in children(process.pid)
