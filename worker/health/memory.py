"""How `WORKER_MEMORY` is shared: the worker has its index, and its engine gets the rest."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from faces.errors import SettingError

OUTGROWN = 75  # exit code, EX_TEMPFAIL of sysexits.h: start me again
MIN_HEADROOM = 256 << 20  # bytes for pictures, beside engine and index; HOG alone takes 250 MB at 1920x1080
SHARE = 0.75  # of its memory, above which an engine is replaced between batches
GROWTH = 1.25  # on what it needed when it was loaded; one that needs more than its share from the start
# would be replaced for ever
CROWDED = 0.9  # of an empty worker's memory; with less, a shortage is not the picture's fault

log = logging.getLogger(__name__)


class Memory:
    """The memory of a worker whose index is still empty; `limit` is in bytes, 0 is none."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._empty = limit - resident()
        self._engine = 0

    def reserve(self, engine: int, faces: int) -> None:
        """See that the engine, of so many bytes, and pictures have room beside an index of so many faces.

        Raises:
            SettingError: they have not.
        """
        self._engine = engine
        if self.outgrown():
            raise SettingError(
                f"WORKER_MEMORY is {self._limit >> 20} MB: with {faces} faces in memory the worker takes "
                f"{resident() >> 20} MB and its engine {engine >> 20} MB, which leaves less than the "
                f"{MIN_HEADROOM >> 20} MB that pictures need. Raise WORKER_MEMORY, or set INDEX_URL"
            )

    def budget(self) -> int:
        """Bytes of data that the engine may take now; 0: unlimited."""
        return max(self._limit - resident(), 1) if self._limit else 0

    def outgrown(self) -> bool:
        """Tell whether the worker has grown so much that its engine has too little left."""
        short = bool(self._limit) and self.budget() < self._engine + MIN_HEADROOM
        if short:
            log.warning("the worker has grown to %d MB of %d", resident() >> 20, self._limit >> 20)
        return short

    def crowded(self) -> bool:
        """Tell whether the index takes memory that an empty worker would have for a picture."""
        return bool(self._limit) and self.budget() < CROWDED * self._empty

    def engine_outgrown(self, size: int) -> bool:
        """Tell whether the engine, now resident with so many bytes, had better be replaced."""
        return bool(self._limit) and size > max(SHARE * self.budget(), GROWTH * self._engine)


def resident() -> int:
    """Bytes of this process that lie in memory."""
    return _statm(1)


def data_size() -> int:
    """Bytes of data and stack of this process, whether in memory or not: what RLIMIT_DATA limits."""
    return _statm(5)


def _statm(field: int) -> int:
    return int(Path("/proc/self/statm").read_text().split()[field]) * os.sysconf("SC_PAGE_SIZE")
