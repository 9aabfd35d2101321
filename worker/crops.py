"""Crops of faces, kept in the image store: before the commit, so that a picture that is done has its crops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Protocol

from faces.errors import FacefleetError
from worker.side_by_side import TIMEOUT, SideBySide


class Store(Protocol):
    """`faces.image_store.pictures.ImageStore`."""

    def put_crops(self, picture_id: str, jpegs: Sequence[bytes]) -> None:
        """Store the crops of a picture's faces."""

    def delete_crops(self, picture_id: str) -> bool:
        """Remove the crops of a picture."""


class Crops:
    """Keeps crops, those of a batch side by side; without a store nothing."""

    def __init__(self, store: Store | None, timeout: float = TIMEOUT) -> None:
        self._store = store
        self._writing: SideBySide[object] = SideBySide(timeout)

    @property
    def kept(self) -> bool:
        """Whether there is a store for them."""
        return self._store is not None

    def keep(self, crops: Mapping[str, Sequence[bytes]]) -> dict[str, FacefleetError]:
        """Store the crops of each picture; return the errors of those that could not be stored."""
        store = self._store
        if store is None:
            return {}
        calls = {p: partial(store.put_crops, p, jpegs) for p, jpegs in crops.items() if jpegs}
        return _errors(self._writing.call(calls))

    def drop(self, picture_ids: Sequence[str]) -> None:
        """Remove the crops of pictures that were erased meanwhile; `reconcile --sweep` finds what is left."""
        if self._store is not None and picture_ids:
            self._writing.call({p: partial(self._store.delete_crops, p) for p in picture_ids})


def _errors(results: Mapping[str, object]) -> dict[str, FacefleetError]:
    return {name: result for name, result in results.items() if isinstance(result, FacefleetError)}
