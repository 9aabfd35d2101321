"""A worker's pulse: a file that its I/O loop touches, whether or not RabbitMQ and Redis are there.

`python -m worker.health.heartbeat` succeeds while the file is fresh; with `--ready`, only once
models and index are loaded.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from faces.config import Settings

FRESH = 60.0  # seconds; the loop beats twice a second, and waits 10 s at most for what is away

STARTING, READY = "starting", "ready"


class Heartbeat:
    """Writes the file; an empty path means that nobody looks."""

    def __init__(self, path: str) -> None:
        self._path = Path(path) if path else None
        self._state = STARTING

    def ready(self) -> None:
        """Say that pictures are taken from now on."""
        self._state = READY
        self.beat()

    def beat(self) -> None:
        """Say that the loop runs."""
        if self._path is not None:
            self._path.write_text(self._state)


def alive(path: Path, *, ready: bool, now: float) -> bool:
    """Tell whether a worker's pulse is fresh, and with `ready` whether it takes pictures."""
    try:
        fresh = now - path.stat().st_mtime < FRESH
        return fresh and (not ready or path.read_text() == READY)
    except OSError:
        return False


def main(arguments: list[str]) -> int:
    """Look at the pulse of the worker in this container: 0 if it is well, 1 if not, 2 without HEALTH_FILE."""
    path = Settings.read().health_file
    if not path:
        sys.stderr.write("worker.health.heartbeat: HEALTH_FILE is not set\n")
        return 2
    return 0 if alive(Path(path), ready="--ready" in arguments, now=time.time()) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
