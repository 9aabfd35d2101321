from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from local.process import Process
from local.supervisor import FIRST_PAUSE, LONGEST_PAUSE, STEADY, Keeper, processes


class FakeProcess(Process):
    """A process that ends when the test says so."""

    def __init__(self) -> None:
        super().__init__("worker-1", Path())
        self.starts = 0
        self.running = False
        self.code: int | None = None
        self.ports: list[int] = []

    def start(self, _: Sequence[str], environ: Mapping[str, str]) -> None:
        self.starts += 1
        self.running, self.code = True, None
        self.ports.append(int(environ["METRICS_PORT"]))

    def note_metrics_port(self, port: int) -> None:
        assert self.ports[-1] == port

    def ended(self) -> bool:
        return not self.running

    def end(self, code: int | None) -> None:
        self.running, self.code = False, code

    @property
    def exit_code(self) -> int | None:
        return self.code


@pytest.fixture
def process() -> FakeProcess:
    return FakeProcess()


@pytest.fixture
def keeper(process: FakeProcess) -> Keeper:
    return Keeper(process, {})


def look(keeper: Keeper, *times: float) -> None:
    for now in times:
        keeper.look(now)


def test_it_starts_what_does_not_run_once(keeper: Keeper, process: FakeProcess) -> None:
    look(keeper, 0.0, 0.2, 0.4)
    assert process.starts == 1


def test_it_adopts_what_runs_already(keeper: Keeper, process: FakeProcess) -> None:
    process.running = True
    look(keeper, 0.0, 0.2)
    assert process.starts == 0
    process.end(None)  # nobody can tell the code of a process that is not one's own child
    look(keeper, 0.4, 0.4 + FIRST_PAUSE)
    assert process.starts == 1


def test_a_failure_is_followed_by_a_pause_and_a_start(keeper: Keeper, process: FakeProcess) -> None:
    look(keeper, 0.0)
    process.end(-9)
    look(keeper, 1.0, 1.0 + FIRST_PAUSE / 2)
    assert process.starts == 1
    look(keeper, 1.0 + FIRST_PAUSE)
    assert process.starts == 2


def pauses(keeper: Keeper, process: FakeProcess, count: int, lasting: float) -> list[float]:
    """Let the process fail again and again, and measure how long each start takes to come."""
    now, found = 0.0, []
    look(keeper, now)
    for _ in range(count):
        now += lasting
        process.end(1)
        look(keeper, now)
        failed, starts = now, process.starts
        while process.starts == starts:
            now += 0.25
            look(keeper, now)
        found.append(now - failed)
    return found


def test_the_pause_grows_up_to_a_limit(keeper: Keeper, process: FakeProcess) -> None:
    found = pauses(keeper, process, count=10, lasting=1.0)
    assert found[:4] == [0.5, 1.0, 2.0, 4.0]
    assert found[-1] == LONGEST_PAUSE


def test_a_process_that_ran_well_for_a_while_starts_soon(keeper: Keeper, process: FakeProcess) -> None:
    assert pauses(keeper, process, count=5, lasting=STEADY + 1) == [FIRST_PAUSE] * 5


def test_a_process_that_ended_well_is_left_alone(keeper: Keeper, process: FakeProcess) -> None:
    look(keeper, 0.0)
    process.end(0)
    look(keeper, 1.0, 100.0, 10_000.0)
    assert process.starts == 1


def test_it_keeps_the_servers_groups_video_and_as_many_workers_as_asked(tmp_path: Path) -> None:
    assert [process.name for process in processes(tmp_path, 3)] == [
        "rest",
        "rpc",
        "groups",
        "video",
        "worker-1",
        "worker-2",
        "worker-3",
    ]
