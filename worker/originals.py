"""Originals from the image store."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Protocol

from faces.errors import FacefleetError, PictureError
from worker.side_by_side import TIMEOUT, SideBySide


class Store(Protocol):
    """`faces.image_store.pictures.ImageStore`."""

    def get(self, picture_id: str) -> bytes:
        """Fetch a picture."""


class Originals:
    """Fetches originals, those of a batch side by side."""

    def __init__(self, store: Store | None, timeout: float = TIMEOUT) -> None:
        self._store = store
        self._reading: SideBySide[bytes] = SideBySide(timeout)

    def fetch(self, picture_ids: Sequence[str]) -> dict[str, bytes | FacefleetError]:
        """Fetch originals; the error of one that cannot be had takes its place."""
        if self._store is None:
            missing = "the original is in an image store, but IMAGE_STORE_URL is not set for this worker"
            return {picture_id: PictureError(missing, code="missing") for picture_id in picture_ids}
        return self._reading.call(
            {picture_id: partial(self._store.get, picture_id) for picture_id in picture_ids}
        )
