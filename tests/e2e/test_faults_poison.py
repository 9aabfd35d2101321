"""Pictures that end workers: each is found out alone, and those that shared a batch with it are done."""

from __future__ import annotations

import re
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from faces.store import queries
from faces.store.keys import ATTEMPTS, HOME
from local.process import Process
from local.supervisor import Keeper, keep
from tests.conftest import environ
from tests.e2e.conftest import Fleet
from tests.support.drawing import drawing
from tests.support.quick_worker import CRASHES, HANGS, LEAKS, RAISES, WANTS_MEMORY
from tests.support.rules import faults, read_all
from worker.health.memory import OUTGROWN
from worker.health.watchdog import OVERRUN

LIMIT = "0.5"  # seconds a picture; those that are well take a thousandth of it


@contextmanager
def kept_worker(fleet: Fleet, folder: Path, **variables: str) -> Iterator[Process]:
    """Keep a quick worker running, as the system on one machine does."""
    process = Process("tests.support.quick_worker-1", folder)
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
    ("width", "death"),
    [(CRASHES, -signal.SIGSEGV), (HANGS, OVERRUN), (RAISES, 1)],
    ids=["crash", "hang", "unforeseen error"],
)
def test_a_picture_that_ends_workers_fails_alone(
    fleet: Fleet, tmp_path: Path, caplog: pytest.LogCaptureFixture, width: int, death: int
) -> None:
    fleet.start_all(workers=0)
    bad, good = send(fleet, width)
    with kept_worker(fleet, tmp_path, PICTURE_TIMEOUT=LIMIT):
        ended_well(fleet, bad, good, "poison")
    deaths = [int(code) for code in re.findall(r"ended with code (-?\d+):", caplog.text)]
    assert deaths == [death] * 4, "once in company, and each time that it may be begun again"


def test_a_picture_that_wants_too_much_memory_fails_alone_and_the_worker_lives(
    fleet: Fleet, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fleet.start_all(workers=0)
    bad, good = send(fleet, WANTS_MEMORY)
    with kept_worker(fleet, tmp_path):
        ended_well(fleet, bad, good, "out_of_memory")
    assert "ended with code" not in caplog.text


def test_a_worker_that_has_grown_starts_afresh_between_pictures(
    fleet: Fleet, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fleet.start_all(workers=0)
    sent = [fleet.scan(drawing(seed, (LEAKS, 80)), str(seed)) for seed in range(10)]
    with kept_worker(fleet, tmp_path, WORKER_MEMORY=str(1 << 30), BATCH_SIZE="1"):
        fleet.wait()
    ended = re.findall(r"ended with code (-?\d+):", caplog.text)
    assert ended
    assert set(ended) == {str(OUTGROWN)}
    assert [fleet.status(picture)["state"] for picture in sent] == ["done"] * 10
    assert faults(read_all(fleet.redis)) == []
