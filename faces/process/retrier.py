"""Waits for unavailable services with growing pauses, until they are back or the process is stopping."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from faces.errors import Transient

T = TypeVar("T")

FIRST_PAUSE, MAX_PAUSE = 0.1, 10.0  # seconds between attempts; each pause is twice the previous one

log = logging.getLogger(__name__)


class Retrier:
    """Repeats operations that fail temporarily; `beat` is called before each attempt."""

    def __init__(self, stopping: threading.Event, beat: Callable[[], None] = lambda: None) -> None:
        self._stopping = stopping
        self._beat = beat

    def until_done(self, operation: Callable[[], T]) -> T:
        """Run an operation, repeating it as long as it raises `Transient`.

        Raises:
            Transient: it failed, and the process is stopping.
        """
        pause = FIRST_PAUSE
        while True:
            self._beat()
            try:
                return operation()
            except Transient as error:
                log.warning("retrying in %.1f s: %s", pause, error)
                if self._stopping.wait(pause):
                    raise
                pause = min(2 * pause, MAX_PAUSE)
