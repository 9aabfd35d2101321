"""Originals from the image store, within a time limit: a store may hang, and a worker must not hang with it."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Sequence
from typing import Protocol

from faces.errors import FacefleetError, ImageStoreError, PictureError

TIMEOUT = 30.0  # seconds for all originals of a batch
MAX_STUCK = 32  # reads that never returned, beyond which no more are begun

Fetched = tuple[str, bytes | FacefleetError]


class Store(Protocol):
    """`faces.image_store.ImageStore`."""

    def get(self, picture_id: str) -> bytes:
        """Fetch a picture."""


class Originals:
    """Fetches originals, those of a batch side by side."""

    def __init__(self, store: Store | None, timeout: float = TIMEOUT) -> None:
        self._store = store
        self._timeout = timeout
        self._stuck: list[threading.Thread] = []

    def fetch(self, picture_ids: Sequence[str]) -> dict[str, bytes | FacefleetError]:
        """Fetch originals; the error of one that cannot be had takes its place.

        A read that hangs cannot be interrupted. Its thread is left behind, and ends when the store answers.
        """
        store = self._store
        if store is None:
            missing = "the original is in an image store, but IMAGE_STORE_URL is not set for this worker"
            return {picture_id: PictureError(missing, code="missing") for picture_id in picture_ids}
        self._stuck = [thread for thread in self._stuck if thread.is_alive()]
        if len(self._stuck) > MAX_STUCK:
            return dict.fromkeys(picture_ids, ImageStoreError("the image store does not respond"))
        fetched: queue.SimpleQueue[Fetched] = queue.SimpleQueue()
        threads = [
            threading.Thread(target=_fetch, args=(store, picture_id, fetched), name="original", daemon=True)
            for picture_id in picture_ids
        ]
        for thread in threads:
            thread.start()
        results = self._collect(len(threads), fetched)
        self._stuck += [thread for thread in threads if thread.is_alive()]
        late = ImageStoreError(f"the image store did not respond within {self._timeout:g} s")
        return {picture_id: results.get(picture_id, late) for picture_id in picture_ids}

    def _collect(self, count: int, fetched: queue.SimpleQueue[Fetched]) -> dict[str, bytes | FacefleetError]:
        deadline = time.monotonic() + self._timeout
        results: dict[str, bytes | FacefleetError] = {}
        try:
            while len(results) < count:
                picture_id, result = fetched.get(timeout=max(0.0, deadline - time.monotonic()))
                results[picture_id] = result
        except queue.Empty:
            pass
        return results


def _fetch(store: Store, picture_id: str, fetched: queue.SimpleQueue[Fetched]) -> None:
    try:
        fetched.put((picture_id, store.get(picture_id)))
    except FacefleetError as error:
        fetched.put((picture_id, error))
