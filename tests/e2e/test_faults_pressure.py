"""A queue that is full and a broker that is short of memory: 503, and nothing half accepted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from faces.config import Settings
from faces.messaging.queues import depths
from faces.picture_id import picture_id_of
from faces.store.pictures import queries
from local.process import Process, free_port, until
from local.rabbitmq import RabbitServer
from tests.e2e.conftest import SECONDS, Fleet
from tests.support.drawing import drawing
from tests.support.processes.workers import quick_worker
from tests.support.rules import faults, read_all

MAX_QUEUED = 5  # pictures that the queue holds


@pytest.fixture(scope="module")
def own_rabbit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitServer]:
    """A node whose queues and memory these tests may set as they like."""
    server = RabbitServer(tmp_path_factory.mktemp("rabbitmq"), free_port(), free_port(), free_port())
    server.start()
    yield server
    server.stop()


@pytest.fixture
def pressed(store_settings: Settings, own_rabbit: RabbitServer, tmp_path: Path) -> Iterator[Fleet]:
    """A fleet without workers on that node."""
    running = Fleet(replace(store_settings, rabbitmq_port=own_rabbit.port), tmp_path)
    running.start_all(workers=0, QUEUE_MAX_LENGTH=str(MAX_QUEUED), PUBLISH_TIMEOUT="2")
    yield running
    running.stop()


def post(fleet: Fleet, seed: int) -> requests.Response:
    return requests.post(f"{fleet.url}/scan/image/{seed}", data=drawing(seed), timeout=60)


def status_code(fleet: Fleet, seed: int) -> int:
    return requests.get(f"{fleet.url}/status/{picture_id_of(drawing(seed))}", timeout=60).status_code


def refused(fleet: Fleet, answer: requests.Response, seed: int) -> None:
    """The answer says when to come again, and there is no trace of the picture."""
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert "nothing was accepted" in answer.json()["detail"]
    assert status_code(fleet, seed) == 404
    assert queries.counts(fleet.redis).unaccounted == 0


def test_a_full_queue_refuses_and_takes_pictures_again_when_there_is_room(
    pressed: Fleet, tmp_path: Path
) -> None:
    answers = {seed: post(pressed, seed) for seed in range(3 * MAX_QUEUED)}
    taken = [seed for seed, answer in answers.items() if answer.status_code == 202]
    assert MAX_QUEUED <= len(taken) < 2 * MAX_QUEUED  # RabbitMQ counts a little late
    ready = requests.get(f"{pressed.url}/readyz", timeout=60)
    assert (ready.status_code, ready.json()["queue"]) == (200, "full")
    for seed in answers.keys() - set(taken):
        refused(pressed, answers[seed], seed)
    assert queries.counts(pressed.redis).accepted == len(taken)
    quick_worker(pressed, tmp_path, QUEUE_MAX_LENGTH=str(MAX_QUEUED))
    for seed in answers:
        assert until(lambda seed=seed: post(pressed, seed).ok, SECONDS)  # type: ignore[misc]  # bound at once
    assert requests.get(f"{pressed.url}/readyz", timeout=60).json()["queue"] == "open"
    pressed.wait()
    assert queries.counts(pressed.redis) == queries.Counts(3 * MAX_QUEUED, 3 * MAX_QUEUED, 0, 0, 0)
    assert faults(read_all(pressed.redis)) == []


def test_a_broker_short_of_memory_takes_no_pictures_in_and_those_in_hand_are_done_and_acknowledged(
    pressed: Fleet, own_rabbit: RabbitServer, tmp_path: Path
) -> None:
    for seed in range(MAX_QUEUED):
        assert post(pressed, seed).status_code == 202
    own_rabbit.ctl("set_vm_memory_high_watermark", "absolute", "1MB")
    try:
        assert until(lambda: post(pressed, 100).status_code == 503, SECONDS)
        refused(pressed, post(pressed, 100), 100)
        worker: Process = quick_worker(pressed, tmp_path, QUEUE_MAX_LENGTH=str(MAX_QUEUED))
        pressed.wait()
        assert queries.counts(pressed.redis).done >= MAX_QUEUED
        worker.stop()  # what is not acknowledged by now goes back to the queue
        assert depths(pressed.settings)[0].ready == 0
    finally:
        own_rabbit.ctl("set_vm_memory_high_watermark", "0.6")
    assert until(lambda: post(pressed, 100).ok, SECONDS)
