"""A worker that is told to stop before it has started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from local.process import free_port, runs, until
from tests.support.processes.family import children
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
            (template,) = children(worker.pid)
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(60) == 0
        finally:
            worker.kill()
            worker.wait()
    assert until(lambda: not runs(template), 60)
    assert "Traceback" not in log.read_text()
