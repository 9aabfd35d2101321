"""Time that a test has in its hand."""

from __future__ import annotations


class Clock:
    """Stands in for the module `time`: time passes only while somebody sleeps, and nobody really does."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
