"""How long to go on: until nothing has moved for some time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from client.errors import ServerError

T = TypeVar("T")


class IdleTimeout:
    """Ends when nothing has moved for `seconds`. Threads may share it."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds left; 0 when it has ended."""
        return max(0.0, self._end - time.monotonic())

    def renew(self) -> None:
        """Note that something has moved."""
        self._end = time.monotonic() + self._seconds

    def ask(self, request: Callable[[], T]) -> T:
        """Make a request, again and again while the server is away or busy.

        Raises:
            ServerError: it still was when patience ended, or patience had ended before.
        """
        if not self.left:
            raise ServerError(f"nothing has moved for {self._seconds:g} s: given up")
        while True:
            try:
                return request()
            except ServerError as error:
                if not self.left:
                    raise
                time.sleep(min(error.wait, self.left))
