"""Ends the worker when the pictures in hand take too long: RabbitMQ hands them out again, and each is done alone.

Nothing gentler works, because what hangs is C code that cannot be interrupted. Two clocks run. A thread logs which
pictures overran and ends the process; but a C call may hold the interpreter's lock, and then no thread of
Python's ever runs again. So `faulthandler`, whose clock is a C thread that needs no lock, ends the process a
little later and leaves the stacks of all threads in the log.
"""

from __future__ import annotations

import faulthandler
import logging
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

OVERRUN = 70  # exit code, EX_SOFTWARE of sysexits.h; faulthandler's own is 1
GRACE = 5.0  # seconds between the two clocks

log = logging.getLogger(__name__)


class Watchdog:
    """Gives each picture in hand `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    @contextmanager
    def watch(self, picture_ids: Sequence[str]) -> Iterator[None]:
        """End the process unless what is done inside ends in time; a batch has the time of all its pictures."""
        limit = self._seconds * max(1, len(picture_ids))
        clock = threading.Timer(limit, _end, [picture_ids, limit])
        clock.daemon = True
        clock.start()
        faulthandler.dump_traceback_later(limit + GRACE, exit=True)
        try:
            yield
        finally:
            faulthandler.cancel_dump_traceback_later()
            clock.cancel()


def _end(picture_ids: Sequence[str], limit: float) -> None:
    log.error("not done within %g s, ending this worker: %s", limit, " ".join(picture_ids))
    os._exit(OVERRUN)
