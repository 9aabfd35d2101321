"""Pictures that end engines: each is found out, the others of its batch are done, and the worker lives."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from faces.store.keys import ATTEMPTS, HOME
from faces.store.pictures import queries
from local.process import Process, until
from local.supervisor import Keeper, keep
from tests.conftest import environ
from tests.e2e.conftest import SECONDS, Fleet
from tests.support.drawing import drawing
from tests.support.processes.quick_worker import CRASHES, HANGS, LEAKS, RAISES, WANTS_MEMORY
from tests.support.rules import faults, read_all

LIMIT = "0.5"  # seconds a picture; those that are well take a thousandth of it


@contextmanager
def kept_worker(fleet: Fleet, folder: Path, **variables: str) -> Iterator[Process]:
    """Keep a quick worker running, as the system on one machine does."""
    process = Process("tests.support.processes.quick_worker-1", folder)
    stopping = threading.Event()
    keeper = Keeper(process, environ(fleet.settings, folder) | variables)
    keeping = threading.Thread(target=keep, args=([keeper], stopping))
    keeping.start()
    try:
        yield process
    finally:
        stopping.set()
        keeping.join()


def send(fleet: Fleet, width: int) -> tuple[str, list[str]]:
    """Queue a picture of a width in the middle of innocent ones, before any worker runs."""
    pictures = [drawing(seed, (100, 80 + seed % 3)) for seed in range(20)]
    pictures.insert(3, drawing(0, (width, 90)))
    hashes = [fleet.scan(data, str(number)) for number, data in enumerate(pictures)]
    return hashes.pop(3), hashes


def ended_well(fleet: Fleet, bad: str, good: list[str], code: str) -> None:
    fleet.wait()
    assert (fleet.status(bad)["state"], fleet.status(bad)["code"]) == ("failed", code)
    assert [fleet.status(picture)["state"] for picture in good] == ["done"] * len(good)
    assert faults(read_all(fleet.redis)) == []
    assert queries.counts(fleet.redis) == queries.Counts(21, 20, 1, 0, 0)
    assert fleet.redis.ask((HOME, "HLEN", ATTEMPTS)) == [0]


@pytest.mark.parametrize(
    ("width", "code"),
    [(CRASHES, "poison"), (HANGS, "timeout"), (RAISES, "engine_failed"), (WANTS_MEMORY, "out_of_memory")],
    ids=["crash", "hang", "unforeseen error", "memory"],
)
def test_a_picture_that_ends_engines_fails_alone_and_the_worker_lives(
    fleet: Fleet, tmp_path: Path, caplog: pytest.LogCaptureFixture, width: int, code: str
) -> None:
    fleet.start_all(workers=0)
    bad, good = send(fleet, width)
    with kept_worker(fleet, tmp_path, PICTURE_TIMEOUT=LIMIT):
        ended_well(fleet, bad, good, code)
    assert "ended with code" not in caplog.text


def test_an_engine_that_has_grown_is_replaced_and_the_worker_lives(
    fleet: Fleet, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fleet.start_all(workers=0)
    sent = [fleet.scan(drawing(seed, (LEAKS, 80)), str(seed)) for seed in range(24)]
    with kept_worker(fleet, tmp_path, WORKER_MEMORY=str(1 << 30), BATCH_SIZE="1") as worker:
        fleet.wait()
        assert "replacing it" in worker.log.read_text()
    assert "ended with code" not in caplog.text
    assert [fleet.status(picture)["state"] for picture in sent] == ["done"] * 24
    assert faults(read_all(fleet.redis)) == []


def test_a_worker_without_memory_for_pictures_says_so_and_does_not_start(
    fleet: Fleet, tmp_path: Path
) -> None:
    worker = fleet.start("tests.support.processes.quick_worker", WORKER_MEMORY=str(300 << 20))
    assert until(worker.ended, SECONDS)
    assert worker.exit_code == 2
    assert "Raise WORKER_MEMORY" in worker.last_lines()
