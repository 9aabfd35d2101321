"""Files that may still be written."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from client.watching.stamp import Stamp


class Settling:
    """Waits until size and time of change have stayed the same for some seconds.

    Both are looked at twice by our own clock: a share's clock may be wrong, and a copy may keep an old time.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._waiting: dict[Path, tuple[Stamp, float]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, path: Path, stamp: Stamp) -> None:
        """Wait for a file; one that has not changed since it was added first waits no longer for it."""
        known = self._waiting.get(path)
        if known is None or known[0] != stamp:
            self._waiting[path] = (stamp, self._clock())

    def complete(self) -> Iterator[tuple[Path, Stamp]]:
        """Yield the files that are complete and wait no more for them. Empty and vanished files are dropped."""
        now = self._clock()
        for path, (stamp, since) in list(self._waiting.items()):
            if now - since < self._seconds:
                continue
            current = Stamp.of(path)
            if current == stamp or current is None:
                del self._waiting[path]
            else:
                self._waiting[path] = (current, now)
            if current == stamp and stamp.size:
                yield path, stamp
