"""The whole system as processes: the server and workers, on the tests' own Redis and RabbitMQ."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from faces.config import Settings
from faces.store.client import RedisClient
from faces.store.pictures import queries
from local.process import Process, free_port, until
from local.rabbitmq import RabbitServer
from local.redis import RedisServer
from tests.conftest import emptied, environ, purged

SECONDS = 120.0  # for anything to happen on a busy machine


class Fleet:
    """A server and its workers, each a process."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.settings = replace(settings, rest_port=free_port())
        self.redis = RedisClient(settings)
        self.url = self.settings.server
        self.processes: list[Process] = []
        self._folder = folder
        self._http = requests.Session()

    def start(self, part: str, **variables: str) -> Process:
        """Start `rest` or a `worker`, with more environment variables."""
        process = Process(f"{part}{len(self.processes)}", self._folder)
        more = {"REST_PORT": str(self.settings.rest_port), **variables}
        process.start([sys.executable, "-m", part], environ(self.settings, self._folder) | more)
        self.processes.append(process)
        return process

    def start_all(self, workers: int = 1, **variables: str) -> None:
        """Start the server and workers and wait until the server answers."""
        self.start("rest", **variables)
        for _ in range(workers):
            self.start("worker", **variables)
        assert until(self._answers, SECONDS), self.processes[0].last_lines()

    def scan(self, data: bytes, name: str) -> str:
        """Send a picture as an existing client does."""
        answer = self._http.post(
            f"{self.url}/scan/image/{name}", data=data, headers={"content-type": "image/jpg"}
        )
        assert answer.status_code in {200, 202}, answer.text
        document: dict[str, str] = json.loads(answer.text)
        assert document == {"hash": hashlib.sha256(data).hexdigest()}
        return document["hash"]

    def match(self, picture: str) -> list[str]:
        """Ask for the names of matching pictures."""
        names: list[str] = json.loads(self._http.get(f"{self.url}/match/{picture}").text)
        return names

    def status(self, picture: str) -> dict[str, Any]:
        """Ask for a picture's status document."""
        document: dict[str, Any] = json.loads(self._http.get(f"{self.url}/status/{picture}").text)
        return document

    def stats(self) -> dict[str, Any]:
        """Ask what the fleet has done."""
        document: dict[str, Any] = json.loads(self._http.get(f"{self.url}/v1/stats").text)
        return document

    def settled(self) -> bool:
        """Tell whether every accepted picture is done or failed."""
        return queries.counts(self.redis).in_flight == 0

    def wait(self, seconds: float = SECONDS) -> None:
        """Wait until every accepted picture is done or failed."""
        assert until(self.settled, seconds), "\n".join(p.last_lines() for p in self.processes)

    def stop(self) -> None:
        """Stop all processes; what they wrote last is shown if the test failed."""
        for process in self.processes:
            process.kill()
            sys.stdout.write(f"{process.name}:\n{process.last_lines(20)}\n")
        self._http.close()
        self.redis.close()

    def _answers(self) -> bool:
        try:
            return self._http.get(self.url).ok
        except requests.ConnectionError:
            return False


@contextmanager
def fleet_on(redis: RedisServer, rabbit: RabbitServer, folder: Path) -> Iterator[Fleet]:
    """A fleet on servers that are emptied for it, its processes still to be started."""
    running = Fleet(purged(emptied(redis), rabbit), folder)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def fleet(settings: Settings, tmp_path: Path) -> Iterator[Fleet]:
    running = Fleet(settings, tmp_path)
    yield running
    running.stop()
