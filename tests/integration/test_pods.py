"""The local overlay runs: real pods, with images built from the Dockerfiles as they are, do the main job.

Redis and RabbitMQ are Debian's, under the names of the images that the manifests ask for.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from local.process import until
from tests.support.containers.manifests import render
from tests.support.containers.podman import Podman
from tests.support.containers.pods import Pods, secrets_of

ROOT = Path(__file__).parents[2]
SECONDS = 90.0  # for anything to happen on a busy machine
A_MINUTE = 60.0  # what every container must live through
BROKERS = ("redis", "rabbitmq")
OURS = ("rest", "rpc", "worker", "groups", "logs")


@pytest.fixture(scope="module")
def pods(podman: Podman, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pods]:
    printed = subprocess.check_output([ROOT / "k8s/secrets/generate", "--print", "staging"], text=True)
    manifests = render(ROOT / "k8s/overlays/local")
    pods = Pods(podman, manifests, secrets_of(printed), tmp_path_factory.mktemp("pods"))
    yield pods
    podman.clear()


@pytest.fixture(scope="module")
def containers(pods: Pods) -> list[str]:
    """All containers, started as `kubectl apply` would and ready."""
    found = pods.start(*BROKERS)
    pods.wait(found, "readinessProbe", SECONDS)
    found += pods.start(*OURS)
    for probe in ("startupProbe", "readinessProbe"):
        pods.wait(found, probe, SECONDS)
    return found


def server(pods: Pods) -> str:
    return f"http://{pods.address('rest-rest')}:5000"


def scan(pods: Pods, picture: Path) -> str:
    answer = requests.post(f"{server(pods)}/scan/image/{picture.name}", data=picture.read_bytes(), timeout=60)
    assert answer.ok, answer.text
    return str(answer.json()["hash"])


def matches(pods: Pods, picture: str) -> list[str]:
    return list(requests.get(f"{server(pods)}/match/{picture}", timeout=60).json())


def groups(pods: Pods) -> int:
    return int(requests.get(f"{server(pods)}/v1/stats", timeout=60).json()["groups"])


def tailed(pods: Pods, words: str) -> bool:
    return words in pods.podman.log("logs-logs")


def test_the_main_job(pods: Pods, containers: list[str], photographs: Path) -> None:
    first, _, _ = (scan(pods, photographs / name) for name in ("obama.jpg", "obama2.jpg", "biden.jpg"))
    assert until(lambda: matches(pods, first) == ["obama2.jpg"], SECONDS), pods.podman.log("worker-worker")[
        -3000:
    ]
    assert until(lambda: tailed(pods, "biden.jpg"), SECONDS), pods.podman.log("logs-logs")[-3000:]
    assert until(lambda: groups(pods) == 2, SECONDS), pods.podman.log("groups-groups")[-3000:]


def test_the_command_is_in_the_workers_image(pods: Pods, containers: list[str]) -> None:
    assert "every picture is accounted for" in pods.podman("exec", "worker-worker", "facefleet", "status")


def test_the_smoke_job(pods: Pods, containers: list[str]) -> None:
    job = render(ROOT / "k8s/smoke").named("Job", "smoke")
    assert job
    assert pods.run_job(job, SECONDS) == 0, pods.podman.log("smoke-smoke")


def test_containers_are_confined(pods: Pods, containers: list[str]) -> None:
    for container in containers:
        known = pods.podman.inspect(container)
        assert known["HostConfig"]["ReadonlyRootfs"], container
        assert known["EffectiveCaps"] in (None, []), container
        assert pods.podman("exec", container, "id", "-u") != "0", container
        assert pods.podman.tried("exec", container, "touch", "/etc/written").returncode != 0, container


def test_brokers_know_how_much_memory_they_have(pods: Pods, containers: list[str]) -> None:
    limit = 2 << 30
    said = pods.podman("exec", "redis-redis", "redis-cli", "config", "get", "maxmemory").split()
    assert int(said[1]) == limit // 100 * 60
    status = pods.podman("exec", "rabbitmq-rabbitmq", "rabbitmq-diagnostics", "-q", "memory_breakdown")
    assert status
    environment = pods.podman("exec", "rabbitmq-rabbitmq", "rabbitmqctl", "-q", "environment")
    assert f"{{total_memory_available_override_value,{limit}}}" in environment


def test_every_container_stays_up(pods: Pods, containers: list[str]) -> None:
    youngest = max(started(pods.podman, name) for name in containers)
    time.sleep(max(0.0, youngest + A_MINUTE - time.time()))
    for container in containers:
        assert pods.podman.inspect(container)["RestartCount"] == 0, pods.podman.log(container)[-3000:]
        assert started(pods.podman, container) <= youngest, pods.podman.log(container)[-3000:]
    pods.wait(containers, "livenessProbe", SECONDS)


def started(podman: Podman, container: str) -> float:
    """When the process of a container was started, Unix time."""
    text = podman("container", "inspect", "--format={{.State.StartedAt.Unix}}", container)
    return float(text)


@pytest.mark.parametrize("workload", [*BROKERS, *OURS])
def test_a_container_that_ends_comes_back(
    pods: Pods, containers: list[str], photographs: Path, workload: str
) -> None:
    name = f"{workload}-{workload}"
    before = pods.podman.inspect(name)["State"]["Pid"]
    pods.podman.end_process(name)
    assert until(lambda: pods.podman.inspect(name)["State"]["Pid"] not in (0, before), SECONDS)
    for probe in ("startupProbe", "readinessProbe"):
        pods.wait(containers, probe, SECONDS)


def test_nothing_is_lost(pods: Pods, containers: list[str], photographs: Path) -> None:
    """After all of them were killed, what was stored is there, and new pictures go through."""
    first = scan(pods, photographs / "obama.jpg")
    assert until(lambda: matches(pods, first) == ["obama2.jpg"], SECONDS)
    scan(pods, photographs / "obama3.jpg")
    assert until(lambda: tailed(pods, "obama3.jpg"), SECONDS), pods.podman.log("logs-logs")[-3000:]
