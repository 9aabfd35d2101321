"""A worker that is told to stop before it has started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from local.process import free_port, until
from tests.support.processes.loading_worker import LOADING


def test_a_worker_that_loads_its_engine_ends_at_once(tmp_path: Path) -> None:
    """A roll-out that is taken back need not wait for engines; nothing is in the worker's hands yet."""
    log = tmp_path / "log"
    environ = {**os.environ, "REDIS_PORT": str(free_port()), "METRICS_PORT": str(free_port())}
    with log.open("wb") as output:
        command = [sys.executable, "-m", "tests.support.processes.loading_worker"]
        worker = subprocess.Popen(command, env=environ, stderr=output)
        try:
            assert until(lambda: LOADING in log.read_text(), 60)
            children = children_of(worker.pid)
            assert len(children) == 1
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(30) == 0
        finally:
            worker.kill()
            worker.wait()
    assert until(lambda: not any(map(running, children)), 30)
    assert "Traceback" not in log.read_text()


def children_of(pid: int) -> list[int]:
    """The processes that a process's threads have started."""
    lists = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for some in lists for child in some.read_text().split()]


def running(pid: int) -> bool:
    """Whether a process is there and has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
