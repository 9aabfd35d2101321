"""A timeout that starts anew with every sign of progress."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from client.errors import ServerError

T = TypeVar("T")


class IdleTimeout:
    """Expires after `seconds` without progress. Threads may share it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds left; 0 once it has expired."""
        return max(0.0, self._end - time.monotonic())

    def renew(self) -> None:
        """Record progress."""
        self._end = time.monotonic() + self._seconds

    def ask(self, request: Callable[[], T]) -> T:
        """Make a request, repeating it while the server is unavailable or busy.

        Raises:
            ServerError: it still was when the timeout expired.
        """
        if not self.left:
            raise ServerError(f"no progress for {self._seconds:g} s; giving up")
        while True:
            try:
                return request()
            except ServerError as error:
                if not self.left:
                    raise
                time.sleep(min(error.wait, self.left))
