"""A worker whose engine never finishes loading. `python -m tests.support.processes.loading_worker`."""

from __future__ import annotations

import sys
import threading

from faces.config import Settings
from worker.__main__ import main
from worker.app import Worker, build

LOADING = "the engine is loading"


def load(_: Settings) -> None:
    sys.stderr.write(f"{LOADING}\n")
    sys.stderr.flush()
    threading.Event().wait()


def build_loading(settings: Settings, stopping: threading.Event) -> Worker:
    """Build a worker around that engine."""
    return build(settings, stopping, engine="tests.support.processes.loading_worker:load")


if __name__ == "__main__":
    sys.exit(main(build_loading))
