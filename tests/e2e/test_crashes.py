"""Workers and servers die; nothing is lost and nothing is done twice."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from faces.store.keys import SEQUENCE
from faces.store.pictures import queries
from local.process import Process, until
from local.rabbitmq import RabbitServer
from local.redis import RedisServer
from tests.conftest import environ
from tests.e2e.conftest import SECONDS, Fleet
from tests.support.drawing import drawing
from tests.support.processes.workers import quick_worker
from tests.support.rules import faults, read_all


def ended_well(fleet: Fleet, pictures: int) -> None:
    """Every picture is done, once, and the queue is empty."""
    fleet.wait()
    state = read_all(fleet.redis)
    assert faults(state) == []
    assert queries.counts(fleet.redis) == queries.Counts(pictures, pictures, 0, 0, 0)
    assert len(state.names) == pictures


@pytest.mark.parametrize("step", ["before encode", "before exec", "after exec", "before ack"])
def test_a_worker_killed_at_a_step_loses_nothing_and_does_nothing_twice(
    fleet: Fleet, tmp_path: Path, step: str
) -> None:
    fleet.start("rest")
    doomed = Process("doomed", tmp_path)
    doomed.start(
        [sys.executable, "-m", "tests.support.processes.crashing_worker", step],
        environ(fleet.settings, tmp_path),
    )
    assert until(fleet._answers, SECONDS)
    sent = [fleet.scan(drawing(seed, (320, 240)), str(seed)) for seed in range(2)]
    assert until(doomed.ended, SECONDS), "the worker was to be killed"
    quick_worker(fleet, tmp_path)
    ended_well(fleet, 2)
    assert fleet.match(sent[0]) == ["1"]


def test_a_worker_told_to_stop_finishes_and_leaves_the_rest_queued(fleet: Fleet) -> None:
    fleet.start_all()
    worker = fleet.processes[-1]
    for seed in range(30):
        fleet.scan(drawing(seed, (640, 480)), str(seed))
    assert until(lambda: queries.counts(fleet.redis).done > 0, SECONDS)
    worker.kill(signal.SIGTERM)
    assert until(worker.ended, SECONDS)
    assert worker.exit_code == 0
    assert queries.counts(fleet.redis).unaccounted == 0
    fleet.start("worker")
    ended_well(fleet, 30)


def restart_rabbitmq(fleet: Fleet, rabbit: RabbitServer, redis: RedisServer) -> None:
    rabbit.process.kill()
    rabbit.start()


def restart_redis(fleet: Fleet, rabbit: RabbitServer, redis: RedisServer) -> None:
    redis.process.kill()
    redis.start()


def restart_server(fleet: Fleet, rabbit: RabbitServer, redis: RedisServer) -> None:
    fleet.processes[0].kill()
    fleet.start("rest")
    assert until(fleet._answers, SECONDS)


@pytest.mark.parametrize("restart", [restart_rabbitmq, restart_redis, restart_server])
def test_whatever_is_killed_and_comes_back_the_fleet_heals(
    fleet: Fleet,
    rabbit_server: RabbitServer,
    redis_server: RedisServer,
    restart: Callable[[Fleet, RabbitServer, RedisServer], None],
) -> None:
    fleet.start_all(workers=2)
    for seed in range(20):
        fleet.scan(drawing(seed, (480, 360)), str(seed))
    restart(fleet, rabbit_server, redis_server)
    assert until(lambda: fleet.redis.ask((0, "GET", SEQUENCE)) == [b"20"], SECONDS)
    fleet.wait()
    for seed in range(20, 25):
        fleet.scan(drawing(seed, (480, 360)), str(seed))
    ended_well(fleet, 25)
