"""`python -m worker`: one worker process."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Callable

from faces.config import Settings
from faces.errors import MismatchError, SettingError, Transient
from faces.process import process_log
from faces.process.until_stopped import when_stopped
from worker.app import Worker, build

log = logging.getLogger("worker")


def main(build: Callable[[Settings, threading.Event], Worker] = build) -> int:
    """Run until SIGTERM or SIGINT; then finish the current batch and leave the rest queued.

    Until the worker is built it has no pictures, and stops at once.

    Returns:
        The exit code: 0 after a stop; 2 if a setting or the stored data forbids a start; `memory.OUTGROWN` asks
        for a restart.
    """
    stopping = threading.Event()
    when_stopped(lambda *_: sys.exit(0))
    try:
        settings = Settings.read()
        process_log.install(settings)
        process_log.log_settings(settings)
        worker = build(settings, stopping)
        when_stopped(lambda *_: stopping.set())
        return worker.run()
    except (SettingError, MismatchError) as error:
        sys.stderr.write(f"worker: {error}\n")
        return 2
    except Transient as error:
        log.warning("stopped while waiting: %s", error)
        return 0


if __name__ == "__main__":
    sys.exit(main())
