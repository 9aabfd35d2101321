"""What the groups process answers to probes."""

from __future__ import annotations

import time
from collections.abc import Callable

from faces.process.health import Health

MAX_SILENCE = 600.0  # seconds between two beats


class Vitals:
    """The state of the process: alive while it takes steps or stands by, ready once it can do either.

    Threads may share it. `clock` is in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last_beat = clock()
        self._state = "starting"

    def beat(self, state: str) -> None:
        """Note that the process runs: `in charge`, `standing by`, or `waiting for Redis`."""
        self._last_beat = self._clock()
        self._state = state

    def healthz(self) -> Health:
        """Tell whether the process is alive; if it is not, only a restart helps."""
        silence = self._clock() - self._last_beat
        return Health(silence < MAX_SILENCE, {"state": self._state, "seconds_since_beat": round(silence, 1)})

    def readyz(self) -> Health:
        """Tell whether the process follows the journal or is ready to take over."""
        return Health(self._state in {"in charge", "standing by"}, {"state": self._state})
