"""A serving process is replaced if it stands still, and not because nobody asks anything of it."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from faces.config import Settings
from local.process import Process, free_port, until
from tests.support.processes.family import children
from tests.support.server import running

MAX_SILENCE = 2  # seconds
IMPATIENT = f"import rest.__main__ as rest; rest.MAX_SILENCE = {MAX_SILENCE}; rest.main()"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Process, int]]:
    """A server without Redis and RabbitMQ, and its port."""
    settings = Settings(redis_port=free_port(), rabbitmq_port=free_port(), rest_port=free_port())
    with running(settings, tmp_path, ("-c", IMPATIENT)) as process:
        yield process, settings.rest_port


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
