from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import process as module
from local.process import Process, free_port, listening, stop_all, until

SLEEP = ["/bin/sleep", "60"]


@pytest.fixture
def process(tmp_path: Path) -> Iterator[Process]:
    process = Process("sleeper", tmp_path)
    yield process
    process.stop()


def pid_file(process: Process) -> Path:
    return process.log.with_name("sleeper.pid")


def test_a_started_process_is_found_by_another_object(process: Process, tmp_path: Path) -> None:
    process.start(SLEEP, os.environ)
    assert process.pid is not None
    assert Process("sleeper", tmp_path).pid == process.pid


def test_stop_ends_it_and_says_whether_it_ran(process: Process) -> None:
    process.start(SLEEP, os.environ)
    pid = process.pid
    assert process.stop()
    assert process.pid is None
    assert not Path(f"/proc/{pid}").exists()
    assert not process.stop()


def test_what_does_not_end_when_asked_is_killed(process: Process) -> None:
    process.start([sys.executable, "-c", _STUBBORN], os.environ)
    assert until(lambda: "here" in process.last_lines(), 60)
    assert process.stop(timeout=0.2)
    assert process.exit_code == -signal.SIGKILL


_STUBBORN = (
    "import signal, time; signal.signal(15, signal.SIG_IGN); print('here', flush=True); time.sleep(60)"
)


def test_stop_all_asks_all_of_them_before_it_waits(tmp_path: Path) -> None:
    script = "trap 'sleep 0.5; exit 0' TERM; echo here; sleep 60 & wait"
    several = [Process(f"p{number}", tmp_path) for number in range(4)]
    for one in several:
        one.start(["/bin/bash", "-c", script], os.environ)
    assert until(lambda: all("here" in one.last_lines() for one in several), 60)
    assert stop_all(several, 30) == ["p0", "p1", "p2", "p3"]
    assert [one.exit_code for one in several] == [0, 0, 0, 0]


def test_a_pid_that_another_process_has_got_is_not_ours(process: Process) -> None:
    process.start(SLEEP, os.environ)
    ours = pid_file(process).read_text()
    _, started, boot = ours.split()
    pid_file(process).write_text(f"{os.getpid()} {started} {boot}")
    assert process.pid is None
    process.kill()  # would end this very process
    pid_file(process).write_text(ours)
    assert process.pid is not None


def test_a_pid_file_of_another_boot_is_not_ours(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    process.start(SLEEP, os.environ)
    with monkeypatch.context() as patch:
        patch.setattr(module, "BOOT", Path("/proc/sys/kernel/ostype"))
        assert process.pid is None
    assert process.pid is not None


@pytest.mark.parametrize("text", ["", "12", "what is this", "1 2 3 4", "\0"])
def test_a_damaged_pid_file_counts_as_none(process: Process, text: str) -> None:
    pid_file(process).write_text(text)
    assert process.pid is None


def test_the_pid_file_is_written_by_the_process_itself(process: Process) -> None:
    # so it is there even if the starter is killed right after the start
    process.start(["/bin/sh", "-c", "cat sleeper.pid || cat $0", str(pid_file(process))], os.environ)
    assert until(process.ended, 60)
    assert process.last_lines(1).split()[0].isdigit()


def test_exit_codes_are_known_to_the_starter_alone(process: Process, tmp_path: Path) -> None:
    process.start(["/bin/sh", "-c", "exit 7"], os.environ)
    assert until(process.ended, 60)
    assert process.exit_code == 7
    assert Process("sleeper", tmp_path).exit_code is None


def test_started_since_gives_up_once_the_process_has_ended(process: Process) -> None:
    process.start(["/bin/sh", "-c", "exit 1"], os.environ)
    assert not process.started_since(lambda: False, timeout=3600)


def test_a_large_log_is_set_aside(process: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LOG", 10)
    process.log.write_text("more than ten bytes")
    process.start(SLEEP, os.environ)
    assert process.last_lines() == ""
    assert process.log.with_name("sleeper.log.1").read_text() == "more than ten bytes"


def test_a_taken_port_is_not_given() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        assert listening(taken)
        assert free_port(taken) != taken
    assert not listening(taken)
    assert free_port(taken) == taken
