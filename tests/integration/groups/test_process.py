"""The process itself: it follows within a second, and may be killed at any time."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from faces.config import Settings
from faces.errors import StoreError
from faces.store.client import RedisClient
from faces.store.keys import GROUP_LEASE, GROUP_STATE, GROUPS, HOME, JOURNAL
from faces.store.people import directory
from faces.store.people.statements import NewStatement, history, submit
from groups.checking.faults import faults
from local.process import free_port, until
from tests.conftest import environ
from tests.integration.groups.fleet import Fleet


@contextmanager
def process(settings: Settings, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """One process that keeps groups, killed at the end."""
    own = environ(settings, folder) | {"METRICS_PORT": str(settings.metrics_port)}
    with (folder / "log").open("ab") as log:
        running = subprocess.Popen([sys.executable, "-m", "groups"], env=own, stderr=log)
    try:
        yield running
    finally:
        running.kill()
        running.wait()


def caught_up(redis: RedisClient) -> bool:
    """Whether the groups have everything that is in the journal."""
    length, position = redis.ask((HOME, "LLEN", JOURNAL), (GROUPS, "HGET", GROUP_STATE, "position"))
    return int(position or 0) == int(length)


def answer(settings: Settings, path: str) -> str:
    """What Prometheus or a probe is told."""
    with urllib.request.urlopen(f"http://127.0.0.1:{settings.metrics_port}/{path}") as found:
        return str(found.read().decode())


def test_a_face_is_in_its_group_within_a_second(
    store_settings: Settings, redis: RedisClient, tmp_path: Path
) -> None:
    fleet = Fleet(redis)
    settings = replace(store_settings, metrics_port=free_port())
    with process(settings, tmp_path):
        fleet.commit({0: [1]})
        assert until(lambda: caught_up(redis), 60)
        begun = time.monotonic()
        fleet.commit({1: [1, 2]})
        assert until(lambda: caught_up(redis), 60, pause=0.02)
        shown = [person.count for person in directory.people(redis).people]
        assert shown == [2, 1]
        assert time.monotonic() - begun < 30
        said = submit(
            redis, NewStatement(kind="name", people=(directory.people(redis).people[0].id,), name="Ann")
        )
        assert said.number == 1
        assert until(lambda: "facefleet_people 1.0" in answer(settings, "metrics"), 60)
        assert "facefleet_grouped_faces 3.0" in answer(settings, "metrics")
        assert "in charge" in answer(settings, "healthz")
        assert "in charge" in answer(settings, "readyz")
    assert faults(redis) == []


def test_it_stops_when_it_is_told_to_and_leaves_its_place(
    store_settings: Settings, redis: RedisClient, tmp_path: Path
) -> None:
    with process(store_settings, tmp_path) as running:
        assert until(lambda: redis.ask((HOME, "EXISTS", GROUP_LEASE)) == [1], 60)
        assert until(lambda: redis.ask((GROUPS, "EXISTS", "suggestions")) == [1], 60)
        running.send_signal(signal.SIGTERM)
        assert running.wait(timeout=30) == 0
    assert redis.ask((HOME, "EXISTS", GROUP_LEASE)) == [0]


def test_killed_at_any_step_it_neither_doubles_nor_loses(
    store_settings: Settings, redis: RedisClient, tmp_path: Path
) -> None:
    fleet, chance = Fleet(redis), random.Random(7)
    numbers = iter(range(1000))
    named = 0
    for _ in range(6):
        with process(store_settings, tmp_path) as running:
            assert until(lambda: redis.ask((HOME, "EXISTS", GROUP_LEASE)) == [1], 60)
            for _ in range(12):
                fleet.commit({n: [n % 9, (n * 7) % 11] for n in [next(numbers) for _ in range(5)]})
                if chance.random() < 0.3:
                    fleet.erase(chance.randrange(100))
                named += _name_somebody(redis, named)
            time.sleep(chance.random() / 5)  # at no step in particular
            os.kill(running.pid, signal.SIGKILL)
            running.wait()
        redis.ask((HOME, "DEL", GROUP_LEASE))  # it would expire after 15 s
        assert faults(redis) == []
    with process(store_settings, tmp_path):
        assert until(lambda: caught_up(redis), 60)
    assert faults(redis) == []
    assert sorted(s.number for s in history(redis)) == list(range(1, len(history(redis)) + 1))
    assert named <= len(history(redis))


def _name_somebody(redis: RedisClient, number: int) -> bool:
    unnamed = [person for person in directory.people(redis).people if not person.name]
    if not unnamed:
        return False
    try:
        submit(redis, NewStatement(kind="name", people=(unnamed[0].id,), name=f"Person {number}"))
    except StoreError:
        return False
    return True


@pytest.mark.parametrize("setting", ["REDIS_PORT", "METRICS_PORT"])
def test_a_setting_that_cannot_be_used_forbids_a_start(
    store_settings: Settings, tmp_path: Path, setting: str
) -> None:
    own = environ(store_settings, tmp_path) | {setting: "nonsense"}
    done = subprocess.run([sys.executable, "-m", "groups"], env=own, capture_output=True, check=False)
    assert done.returncode == 2
    assert setting in done.stderr.decode()
