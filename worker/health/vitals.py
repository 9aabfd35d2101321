"""What a worker answers to probes."""

from __future__ import annotations

import time
from collections.abc import Callable

from faces.process.health import Health

MAX_SILENCE = (
    60.0  # seconds between two beats of the I/O loop: two a second, and 10 s while RabbitMQ is unavailable
)
MAX_START = 600.0  # seconds for engine and index to load


class Vitals:
    """The state of a worker: it is alive while its I/O loop beats, and ready once it consumes.

    Threads may share it. `clock` is in seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last_beat = clock()
        self._started = False
        self._consuming = False

    def beat(self) -> None:
        """Note that the I/O loop runs."""
        self._last_beat = self._clock()

    def started(self) -> None:
        """Note that engine and index are loaded, and the I/O loop begins."""
        self._started = True
        self.beat()

    def consuming(self, consuming: bool) -> None:
        """Note that messages are consumed, or no longer."""
        self._consuming = consuming

    def healthz(self) -> Health:
        """Tell whether the worker is alive; if it is not, only a restart helps."""
        silence = self._clock() - self._last_beat
        ok = silence < (MAX_SILENCE if self._started else MAX_START)
        return Health(ok, {"state": "alive" if ok else "stuck", "seconds_since_beat": round(silence, 1)})

    def readyz(self) -> Health:
        """Tell whether the worker consumes messages."""
        return Health(self._consuming, {"state": self.state()})

    def state(self) -> str:
        """`ready`, `waiting for RabbitMQ` or `starting`."""
        waiting = "waiting for RabbitMQ" if self._started else "starting"
        return "ready" if self._consuming else waiting
