"""How many requests of a kind that takes long may be under way at once, so that short ones always get through."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, dataclass

from faces.config import Settings
from rest.problems import ProblemError


class Bound:
    """Admits a limited number at once, and refuses the others immediately."""

    def __init__(self, most: int, what: str) -> None:
        self.most = most
        self._what = what
        self._free = threading.Semaphore(most)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be one of those admitted.

        Raises:
            ProblemError: `busy`, for there are as many as may be.
        """
        if not self._free.acquire(blocking=False):
            raise ProblemError("busy", f"{self.most} {self._what} are in progress, the most allowed at once")
        try:
            yield
        finally:
            self._free.release()


@dataclass(frozen=True)
class Bounds:
    """The server's bounds. When all others are reached, `REST_THREADS` threads are left for short requests."""

    short: int
    fetches: int
    publishes: int
    waits: int
    large_uploads: int
    searches: int
    statements: int
    erasures: int
    looks: int

    @classmethod
    def of(cls, settings: Settings) -> Bounds:
        """The bounds that follow from `REST_THREADS`."""
        threads, half = settings.rest_threads, max(1, settings.rest_threads // 2)
        return cls(
            short=threads,
            fetches=threads,
            publishes=2 * threads,
            waits=half,
            large_uploads=half,
            searches=half,
            statements=half,
            erasures=threads,
            looks=half,
        )

    @property
    def threads(self) -> int:
        """How many threads a server needs for all of them."""
        return sum(astuple(self))
