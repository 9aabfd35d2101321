"""Keeps a worker within its memory: a hard limit set by the kernel, and a fresh start well before it.

The hard limit is on data (RLIMIT_DATA), not on address space: the models and the allocators reserve three times
the addresses that they ever use. What passes it is a MemoryError in the one picture that asked for too much.
"""

from __future__ import annotations

import logging
import os
import resource
from pathlib import Path

OUTGROWN = 75  # exit code, EX_TEMPFAIL of sysexits.h: start me again
SHARE = 0.75  # of the limit, past which the worker starts afresh
GROWTH = 1.25  # on what it needed when it was ready; a worker that needs more than its share from the start
# would start afresh for ever

log = logging.getLogger(__name__)


class Memory:
    """The memory of this process, in bytes; a limit of 0 is none."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._max = float("inf")

    def limit(self) -> None:
        """Set the limits, when the process is ready for its first picture."""
        limit = self._limit
        if not limit:
            return
        self._max = max(SHARE * limit, GROWTH * resident())
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        soft = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
        if self._max > SHARE * limit:
            log.warning("most of WORKER_MEMORY, %d MB, is needed for a start: raise it", limit >> 20)

    def outgrown(self) -> bool:
        """Tell whether the process has grown so much that it had better start afresh."""
        used = resident()
        if used > self._max:
            log.warning("grown to %d MB: starting afresh", used >> 20)
        return used > self._max


def resident() -> int:
    """Bytes of this process that lie in memory."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
