"""What the production overlay asks of Redis and RabbitMQ before it takes the next, on Debian's servers."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from faces.config import Settings
from faces.messaging.amqp import connect
from faces.messaging.topology import declare
from local.process import ROOT, Process, free_port, listening, until
from local.rabbitmq import RabbitServer
from local.redis import RedisServer
from tests.conftest import missing
from tests.support.containers.manifests import Container, render
from tests.support.servers.debian_redis import debian_server

OVERLAY = ROOT / "k8s/overlays/production"
SECONDS = 20.0


class Replica:
    """A Redis server that follows another, and what the overlay's script says of it."""

    def __init__(self, folder: Path, binary: str, primary: int) -> None:
        self.port = free_port()
        self.process = Process("replica", folder)
        self._primary = primary
        self._binary = binary
        self._folder = folder
        client = folder / "redis-cli"  # the script asks the port that a pod has
        client.write_text(f'#!/bin/sh\nexec {shutil.which("redis-cli")} -p "$PORT" "$@"\n')
        client.chmod(0o755)

    def start(self) -> None:
        following = ["--replicaof", f"127.0.0.1 {self._primary}", "--dir", str(self._folder)]
        options = ["--bind", "127.0.0.1", "--port", str(self.port), "--save", "", *following]
        self.process.start([self._binary, *options], os.environ)
        assert until(lambda: listening(self.port), SECONDS), self.process.last_lines()

    def ready(self, port: int) -> bool:
        """Ask the probe of the server at a port."""
        environ = {"PATH": f"{self._folder}:{os.environ['PATH']}", "PORT": str(port)}
        environ |= {"REDIS_PASSWORD": "", "HOSTS": "", "DATA": str(self._folder)}
        command = ["sh", str(OVERLAY / "redis/start"), "ready"]
        return subprocess.run(command, env=environ, capture_output=True, check=False).returncode == 0


@pytest.fixture
def primary(tmp_path: Path) -> Iterator[RedisServer]:
    binary = debian_server()
    if binary is None:
        missing("Debian's redis-server: apt-get install redis-server")
    server = RedisServer(tmp_path / "primary", free_port(), binary)
    yield server
    server.stop()


@pytest.fixture
def replica(tmp_path: Path, primary: RedisServer) -> Iterator[Replica]:
    replica = Replica(tmp_path, str(debian_server()), primary.port)
    replica.start()
    yield replica
    replica.process.stop()


def test_a_redis_is_ready_while_it_is_in_sync(primary: RedisServer, replica: Replica) -> None:
    """A roll-out that took the next sooner could take the last server that has everything."""
    assert not replica.ready(replica.port), "its primary is not there yet"
    assert not replica.ready(primary.port), "nobody answers"
    primary.start()
    assert replica.ready(primary.port)
    assert until(lambda: replica.ready(replica.port), SECONDS)
    primary.stop()
    assert until(lambda: not replica.ready(replica.port), SECONDS)


@pytest.fixture(scope="module")
def rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitServer]:
    """A node of this file's own, for its last test closes it to clients."""
    server = RabbitServer(tmp_path_factory.mktemp("rabbitmq"), free_port(), free_port(), free_port())
    server.start()
    yield server
    server.stop()


def test_a_node_that_sees_no_majority_is_not_ready(rabbit: RabbitServer, rabbit_container: Container) -> None:
    ready = rabbit_container.spec["readinessProbe"]["exec"]["command"]
    assert not says(rabbit, ready)
    assert says(rabbit, [{"2": "1"}.get(word, word) for word in ready]), "only because it is alone"


def test_a_node_sends_its_clients_elsewhere_before_it_stops(
    rabbit: RabbitServer, rabbit_container: Container
) -> None:
    """Whether a queue needs it for its majority is for three nodes, which `python -m tests.rehearsal` has."""
    (_, _, script) = rabbit_container.spec["lifecycle"]["preStop"]["exec"]["command"]
    settings = replace(Settings(), rabbitmq_port=rabbit.port)
    with closing(connect(settings)) as connection:
        declare(connection.channel(), settings)
    commands = [line.split() for line in script.strip().splitlines()]
    assert [says(rabbit, command) for command in commands] == [True, True]
    assert not rabbit.answers()


@pytest.fixture(scope="module")
def rabbit_container() -> Container:
    found = (one for one in render(OVERLAY).containers() if str(one) == "rabbitmq/rabbitmq")
    return next(found)


def says(rabbit: RabbitServer, command: list[str]) -> bool:
    """Whether a command of RabbitMQ's own tools succeeds; it waits for a second and no longer."""
    short = re.sub(r"(--timeout) \d+", r"\1 1", " ".join(command)).split()
    return rabbit.tool(*short).returncode == 0
