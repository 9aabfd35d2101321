"""`python -m local.supervisor FOLDER WORKERS`: keeps the servers and the workers running until SIGTERM."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from local.process import Process, free_port, stop_all

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds before a process that failed is started again
STEADY = 60.0  # seconds after which a failure counts as the first
GRACE = 60.0  # seconds for the current picture
LOOK = 0.2  # seconds between looks

log = logging.getLogger("supervisor")


class Keeper:
    """Keeps one process running: again after a growing pause when it fails, never after it ended well.

    It adopts a process that runs already: the one before may have been killed.
    """

    def __init__(self, process: Process, environ: Mapping[str, str]) -> None:
        self.process = process
        self._command = [sys.executable, "-m", process.name.partition("-")[0]]
        self._environ = environ
        self._began: float | None = None
        self._due = 0.0
        self._pause = 0.0
        self._over = False

    def look(self, now: float) -> None:
        """Look after the process; `now` is in seconds on any clock."""
        if self._over:
            return
        if not self.process.ended():
            self._began = now if self._began is None else self._began
        elif self._began is not None:
            self._judge(now, lasted=now - self._began)
        elif now >= self._due:
            self._start()
            self._began = now

    def _start(self) -> None:
        port = free_port()  # one that another program takes first makes the process end, and is chosen anew
        self.process.start(self._command, {**self._environ, "METRICS_PORT": str(port)})
        self.process.note_metrics_port(port)

    def _judge(self, now: float, lasted: float) -> None:
        self._began = None
        code = self.process.exit_code
        self._over = code == 0
        self._pause = (
            FIRST_PAUSE if lasted > STEADY else min(max(FIRST_PAUSE, 2 * self._pause), LONGEST_PAUSE)
        )
        self._due = now + self._pause
        what_now = "not started again" if self._over else f"started again in {self._pause:.1f} s"
        log.warning("%s ended with code %s: %s", self.process.name, code, what_now)


def processes(folder: Path, workers: int) -> list[Process]:
    """The processes to keep: servers, groups, video, and the workers, each named for its module."""
    names = ["rest", "rpc", "groups", "video", *(f"worker-{number}" for number in range(1, workers + 1))]
    return [Process(name, folder) for name in names]


def keep(keepers: Iterable[Keeper], stopping: threading.Event) -> None:
    """Look after processes until told to stop; then end them, each with its current work finished."""
    keepers = list(keepers)
    while not stopping.wait(LOOK):
        for keeper in keepers:
            keeper.look(time.monotonic())
    stop_all((keeper.process for keeper in keepers), GRACE)


def main(folder: Path, workers: int) -> None:
    """Run until SIGTERM."""
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    logging.basicConfig(level="INFO", format="%(asctime)s %(levelname)s %(message)s")
    keep((Keeper(process, os.environ) for process in processes(folder, workers)), stopping)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
