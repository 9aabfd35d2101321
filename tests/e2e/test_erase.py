"""An erased picture is forgotten by workers that run."""

from __future__ import annotations

import pytest

from client.__main__ import main
from tests.e2e.conftest import Fleet
from tests.support.drawing import drawing
from tests.support.rules import faults, read_all


def test_a_running_worker_forgets_an_erased_picture(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    """The quick worker sees the same person in all pictures of one height."""
    monkeypatch.setenv("REDIS_HOST", fleet.settings.redis_host)
    monkeypatch.setenv("REDIS_PORT", str(fleet.settings.redis_port))
    monkeypatch.setenv("RABBITMQ_HOST", fleet.settings.rabbitmq_host)
    monkeypatch.setenv("RABBITMQ_PORT", str(fleet.settings.rabbitmq_port))
    fleet.start_all(workers=0)
    fleet.start("tests.support.processes.quick_worker")
    first, again, later = (drawing(seed, (100 + seed, 80)) for seed in range(3))
    erased, stays = fleet.scan(first, "first"), fleet.scan(again, "again")
    fleet.wait()
    assert fleet.match(stays) == ["first"]
    assert main(["erase", erased, "--yes"]) == 0
    newest = fleet.scan(later, "later")
    fleet.wait()
    assert fleet.match(newest) == ["again"]
    assert fleet.match(stays) == ["later"]
    assert main(["check", "--residue", erased]) == 0
    assert fleet.scan(first, "back") == erased
    fleet.wait()
    assert fleet.match(erased) == ["again", "later"]
    assert faults(read_all(fleet.redis)) == []
