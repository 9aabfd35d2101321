"""What `deploy-local-dev.sh` runs once everything is installed: the commands of a person at a terminal."""

from __future__ import annotations

import os
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.process import free_port, listening, until
from tests.support.processes.deployment import PARTS, Deployment


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[socket.socket]:
    """Another program, which sits at the port that the server would have."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory, elsewhere: socket.socket) -> Iterator[Deployment]:
    ports = {name: free_port() for name in ("REDIS_PORT", "RABBITMQ_PORT", "RPC_PORT")}
    deployment = Deployment(tmp_path_factory.mktemp("deploy"), **ports, REST_PORT=elsewhere.getsockname()[1])
    try:
        yield deployment
    finally:
        deployment.run("stop")


@pytest.fixture
def running(deployment: Deployment) -> Deployment:
    """The system, up: by the first test that asks for it, or as the one before has left it."""
    deployment.up()
    return deployment


def test_a_taken_port_is_left_alone_and_the_other_is_remembered(
    deployment: Deployment, elsewhere: socket.socket
) -> None:
    taken = elsewhere.getsockname()[1]
    assert f"Port {taken} is taken" in deployment.up()
    assert deployment.port("REST_PORT") != taken
    assert deployment.run("status")[0] == 0


def test_up_again_changes_nothing_and_says_so(running: Deployment) -> None:
    before = running.pids()
    assert None not in before.values()
    assert "nothing changed" in running.up()
    assert running.pids() == before


def test_a_killed_worker_is_started_again(running: Deployment) -> None:
    worker = running.process("run/worker-1")
    killed = worker.pid
    worker.kill()
    assert until(lambda: worker.pid not in {None, killed}, 60)
    assert until(lambda: running.state("worker-1") == "ready", 60, pause=0.5)


def test_up_mends_what_was_killed_and_leaves_the_rest_alone(running: Deployment) -> None:
    before = running.pids()
    for path in ("run/supervisor", "redis/redis", "run/rest"):
        running.process(path).kill()
    running.up()
    after = running.pids()
    assert None not in after.values()
    assert {path for path in PARTS if after[path] == before[path]} == {
        "rabbitmq/rabbitmq",
        "run/rpc",
        "run/groups",
        "run/video",
        "run/worker-1",
    }


def test_the_demo_shows_who_matches_whom(running: Deployment, photographs: Path) -> None:
    shutil.copytree(photographs, running.folder / "demo", dirs_exist_ok=True)
    code, written = running.run("demo")
    assert code == 0, written
    assert "match each other and nobody else" in written


def test_stop_stops_all_and_two_runs_at_once_start_one_system_with_its_data(
    running: Deployment, photographs: Path
) -> None:
    data = (photographs / "rocket.jpg").read_bytes()
    picture = running.ask("POST", "/scan/image/kept.jpg", data)["hash"]
    code, written = running.run("stop")
    assert (code, written) == (0, "Stopped: groups, rest, rpc, video, worker-1, redis, rabbitmq.\n")
    assert set(running.pids().values()) == {None}
    assert not any(listening(running.port(v)) for v in ("REDIS_PORT", "RABBITMQ_PORT", "ERL_EPMD_PORT"))
    assert running.run("status")[0] == 3
    assert running.run("stop")[1] == "Nothing was running.\n"
    # as after a crash of the machine, and with two people at work on it
    for path in PARTS:
        (running.folder / f"{path}.pid").write_text(f"{os.getpid()} 1 another-boot")
    both = [running.begin("up", "--workers", "1") for _ in range(2)]
    written_by_both = [process.communicate(timeout=150)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0], written_by_both
    assert sum("nothing changed" in text for text in written_by_both) == 1, written_by_both
    assert running.ask("GET", f"/status/{picture}")["state"] in {"pending", "done"}


def test_a_run_that_is_killed_halfway_is_completed_by_the_next(deployment: Deployment) -> None:
    deployment.run("stop")
    first = deployment.begin("up", "--workers", "1")
    rabbit = deployment.process("rabbitmq/rabbitmq")
    assert until(lambda: rabbit.pid is not None, 60)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    begun = rabbit.pid
    deployment.up()
    assert rabbit.pid == begun


def test_a_server_that_the_environment_names_must_answer(tmp_path: Path) -> None:
    nowhere = {name: free_port() for name in ("REDIS_PORT", "RABBITMQ_PORT", "REST_PORT", "RPC_PORT")}
    foreign = Deployment(tmp_path, **nowhere)
    foreign.environ |= {"REDIS_HOST": "127.0.0.1", "RABBITMQ_HOST": "127.0.0.1"}
    code, written = foreign.run("up", "--workers", "1")
    assert code == 1
    assert "rabbitmq at 127.0.0.1" in written
    assert "no answer from rabbitmq" in written
    assert foreign.run("stop")[0] == 0


def test_a_setting_that_cannot_be_used_is_named_before_anything_starts(tmp_path: Path) -> None:
    wrong = Deployment(tmp_path)
    wrong.environ["MATCH_TOLERANCE"] = "nine"
    code, written = wrong.run("up")
    assert code == 1
    assert "MATCH_TOLERANCE is 'nine'" in written
    assert not (tmp_path / "environment").exists()
