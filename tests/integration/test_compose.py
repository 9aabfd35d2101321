"""docker-compose.yml runs, with podman-compose in Docker's place and Debian's brokers under the images' names."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from local.process import free_port, until
from tests.conftest import missing
from tests.support.clients.rpc_client import connected, refused
from tests.support.containers import podman
from tests.support.containers.images import without_digest
from tests.support.containers.podman import Podman

ROOT = Path(__file__).parents[2]
SECONDS = 90.0
PROJECT = "facefleet-test"
OURS = ("rest", "rpc", "worker", "groups", "logs")


class Compose:
    """The services of docker-compose.yml under a project of the test's own."""

    def __init__(self, podman: Podman, folder: Path) -> None:
        self.podman = podman
        self.folder = folder
        (folder / "docker-compose.yml").write_text(without_digest((ROOT / "docker-compose.yml").read_text()))
        (folder / "k8s").symlink_to(ROOT / "k8s")
        self.port = free_port()
        self.rpc_port = free_port()
        self._environ = {**os.environ, "PORT": str(self.port), "RPC_PORT": str(self.rpc_port)}

    def __call__(self, *words: str) -> None:
        done = subprocess.run(
            ["podman-compose", "--podman-path", self.podman.path, "-p", PROJECT, *words],
            cwd=self.folder, env=self._environ, capture_output=True, text=True, check=False, timeout=podman.SECONDS,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]

    def container(self, service: str) -> str:
        """The name of a service's first container."""
        return f"{PROJECT}_{service}_1"

    def healthy(self, service: str) -> bool:
        """Ask a service's health check, as Docker's daemon does by itself."""
        return self.podman.tried("healthcheck", "run", self.container(service)).returncode == 0

    def wait(self, *services: str) -> None:
        for service in services:
            healthy = until(lambda service=service: self.healthy(service), SECONDS, pause=0.5)  # type: ignore[misc] # mypy does not see the default
            assert healthy, f"{service}:\n{self.podman.log(self.container(service))[-3000:]}"


@pytest.fixture(scope="module")
def compose(podman: Podman, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    if shutil.which("podman-compose") is None:
        missing("podman-compose: apt-get install podman-compose")
    compose = Compose(podman, tmp_path_factory.mktemp("compose"))
    compose("up", "--detach", "--no-build", "redis", "rabbitmq")  # this podman-compose knows no conditions
    compose.wait("redis", "rabbitmq")
    compose("up", "--detach", "--no-build", "--no-deps", *OURS)
    compose.wait("rest", "rpc", "worker")
    yield compose
    podman.clear()


def test_the_main_job(compose: Compose, photographs: Path) -> None:
    server = f"http://127.0.0.1:{compose.port}"
    sent = {}
    for name in ("obama.jpg", "obama2.jpg"):
        data = (photographs / name).read_bytes()
        answer = requests.post(f"{server}/scan/image/{name}", data=data, timeout=60)
        assert answer.status_code == 202, answer.text
        sent[name] = answer.json()["hash"]

    def found() -> bool:
        return bool(requests.get(f"{server}/match/{sent['obama.jpg']}", timeout=60).json() == ["obama2.jpg"])

    assert until(found, SECONDS), compose.podman.log(compose.container("worker"))[-3000:]
    tail = compose.container("logs")
    assert until(lambda: "obama2.jpg" in compose.podman.log(tail), SECONDS), compose.podman.log(tail)[-3000:]


def test_grpc_answers(compose: Compose) -> None:
    with connected(compose.rpc_port) as client:
        assert refused(lambda: client.match("0" * 64)) == ("NOT_FOUND", "not_found")


def test_nobody_is_root(compose: Compose) -> None:
    for service in (*OURS, "redis", "rabbitmq"):
        assert compose.podman("exec", compose.container(service), "id", "-u") != "0", service


def test_processes_end_when_they_are_told(compose: Compose) -> None:
    for service in OURS:
        compose.podman("stop", "--time=60", compose.container(service))
        state = compose.podman.inspect(compose.container(service))["State"]
        assert state["ExitCode"] == 0, compose.podman.log(compose.container(service))[-3000:]
