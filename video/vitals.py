"""What the video process answers to probes."""

from __future__ import annotations

import time
from collections.abc import Callable

from faces.process.health import Health

MAX_SILENCE = 600.0  # seconds between two beats: storing and publishing a frame may wait for both services


class Vitals:
    """The state of the process: alive while it beats, ready once it can take videos. Threads may share it.

    `clock` is in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last_beat = clock()
        self._ready = False

    def beat(self, *, ready: bool) -> None:
        """Note that the process runs, and whether it can take videos."""
        self._last_beat = self._clock()
        self._ready = ready

    def healthz(self) -> Health:
        """Tell whether the process is alive; if it is not, only a restart helps."""
        silence = self._clock() - self._last_beat
        return Health(silence < MAX_SILENCE, {"seconds_since_beat": round(silence, 1)})

    def readyz(self) -> Health:
        """Tell whether the process takes videos, or has none to take as no image store keeps any."""
        return Health(self._ready, {"ready": self._ready})
