"""Waiting for what is away, with growing pauses, until it is back or the worker is to stop."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeVar

from faces.errors import Transient

T = TypeVar("T")

FIRST, LONGEST = 0.1, 10.0  # seconds between tries; each pause is twice the one before

log = logging.getLogger(__name__)


class Retrier:
    """Repeats what fails for a while; `beat` is called before each try."""

    def __init__(self, stopping: threading.Event, beat: Callable[[], None] = lambda: None) -> None:
        self._stopping = stopping
        self._beat = beat

    def until_done(self, operation: Callable[[], T]) -> T:
        """Run an operation, again and again while it fails with something that may pass.

        Raises:
            Transient: it failed, and the worker is to stop.
        """
        pause = FIRST
        while True:
            self._beat()
            try:
                return operation()
            except Transient as error:
                log.warning("waiting %.1f s: %s", pause, error)
                if self._stopping.wait(pause):
                    raise
                pause = min(2 * pause, LONGEST)
