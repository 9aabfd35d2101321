"""Calls to the image store, side by side and within a time limit: where it hangs, a worker does not."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Generic, TypeVar

from faces.errors import FacefleetError, ImageStoreError

TIMEOUT = 30.0  # seconds for all calls of a batch
MAX_STUCK = 32  # calls that never returned, beyond which no more are begun

T = TypeVar("T")


class SideBySide(Generic[T]):
    """Makes the calls of a batch, each on a thread. Belongs to one thread itself."""

    def __init__(self, timeout: float = TIMEOUT) -> None:
        self._timeout = timeout
        self._stuck: list[threading.Thread] = []

    def call(self, calls: Mapping[str, Callable[[], T]]) -> dict[str, T | FacefleetError]:
        """Return what each call returned, or its error.

        A call that hangs cannot be interrupted. Its thread is left behind, and ends when the store answers.
        """
        self._stuck = [thread for thread in self._stuck if thread.is_alive()]
        if len(self._stuck) > MAX_STUCK:
            return dict.fromkeys(calls, ImageStoreError("the image store does not respond"))
        finished: queue.SimpleQueue[tuple[str, T | FacefleetError]] = queue.SimpleQueue()
        threads = [
            threading.Thread(target=partial(_call, name, call, finished), name="image store", daemon=True)
            for name, call in calls.items()
        ]
        for thread in threads:
            thread.start()
        results = self._collect(len(threads), finished)
        self._stuck += [thread for thread in threads if thread.is_alive()]
        late = ImageStoreError(f"the image store did not respond within {self._timeout:g} s")
        return {name: results.get(name, late) for name in calls}

    def _collect(
        self, count: int, finished: queue.SimpleQueue[tuple[str, T | FacefleetError]]
    ) -> dict[str, T | FacefleetError]:
        deadline = time.monotonic() + self._timeout
        results: dict[str, T | FacefleetError] = {}
        try:
            while len(results) < count:
                name, result = finished.get(timeout=max(0.0, deadline - time.monotonic()))
                results[name] = result
        except queue.Empty:
            pass
        return results


def _call(
    name: str, call: Callable[[], T], finished: queue.SimpleQueue[tuple[str, T | FacefleetError]]
) -> None:
    try:
        finished.put((name, call()))
    except FacefleetError as error:
        finished.put((name, error))
