"""Faces that all workers share in a collection, up to the journal position copied to it.

A worker keeps in memory only what the journal has from the collection's position on. The collection may have rows
of pictures erased since, or twice: it only proposes, and db 3 says what is there. A picture committed or erased
after that look has its line in the tail that the transaction compares.

It may not have fewer: a Redis that was restored from a backup has pictures again that were erased since, and their
rows are gone. So the collection is marked with the journal's last lines before any row follows them, and a worker
that does not find these in the journal begins a new collection.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from faces.errors import MismatchError
from faces.store.client import RedisClient
from faces.store.collection import copying, journal
from faces.store.collection.journal import Entry

PIECE = 2_000  # journal lines copied at once
KNOWN_BY = 1_000  # lines before a position that tell one journal from another

log = logging.getLogger(__name__)

REPLACED = MismatchError("Redis was emptied, restored or rebuilt while this process ran: restart it")
Pictures = Iterable[tuple[int, bytes, tuple[bytes, ...]]]


class Collection(Protocol):
    """Faces of pictures, each from a line of the journal: `worker.index.milvus.Milvus`."""

    name: str

    def open(self, name: str, *, empty: bool) -> None:
        """Use the collection of this name, and create it if it is to be empty."""

    def add(self, pictures: Pictures) -> None:
        """Add pictures: line, digest, encodings."""

    def remove(self, pictures: Sequence[bytes], before: int) -> None:
        """Remove what comes from earlier lines."""

    def mark(self) -> tuple[int, str] | None:
        """The journal line up to which rows may have been copied, and the journal's fingerprint there."""

    def set_mark(self, end: int, fingerprint: str) -> None:
        """Note this."""

    def near(self, faces: NDArray[np.float32], before: int) -> set[bytes]:
        """All pictures from earlier lines that match one of the faces, and possibly others."""


class SharedIndex:
    """The current collection. Belongs to one thread."""

    def __init__(self, redis: RedisClient, collection: Collection) -> None:
        self._redis = redis
        self._collection = collection

    def position(self) -> int:
        """Return the journal position up to which the collection is complete.

        Raises:
            StoreError: Redis or the collection is unavailable.
            MismatchError: Redis was emptied or rebuilt.
        """
        name, position = copying.read(self._redis)
        if not self._collection.name:
            name, position = self._open(name, position)
        if name != self._collection.name:
            raise REPLACED
        return position

    def _open(self, name: str, position: int) -> copying.Indexed:
        """Open the collection, or a new one if Redis has gone back behind it."""
        self._collection.open(name, empty=position == 0)
        if self._goes_with_journal(position):
            return copying.Indexed(name, position)
        log.warning(
            "Redis was restored or lost writes: copying all faces again; collection %s can be deleted",
            name,
        )
        copying.abandon(self._redis, name)
        now = copying.read(self._redis)
        self._collection.open(now.collection, empty=now.position == 0)
        return now

    def _goes_with_journal(self, position: int) -> bool:
        mark = self._collection.mark()
        return position == 0 if mark is None else mark[1] == self._fingerprint(mark[0])

    def _fingerprint(self, end: int) -> str:
        first = max(end - KNOWN_BY, 0)
        (lines,) = self._redis.ask(journal.tail(first, end - first))
        return hashlib.sha256(b"".join(lines)).hexdigest()

    def _mark(self, position: int, end: int) -> None:
        """Mark the collection before journal lines up to `end` are copied; a later mark stays."""
        if not self._goes_with_journal(position):
            raise REPLACED
        mark = self._collection.mark()
        if mark is None or mark[0] < end:
            self._collection.set_mark(end, self._fingerprint(end))

    def proposed(self, faces: NDArray[np.float32], before: int) -> Iterable[tuple[bytes, tuple[bytes, ...]]]:
        """Pictures from lines before this one that may match one of the faces, with their encodings in db 3."""
        digests = self._collection.near(faces, before)
        with self._redis.session() as session:
            return journal.encodings(session, digests).items()

    def copy(self, end: int) -> bool:
        """Copy the journal up to a position; False if another worker is doing so.

        If a lease expires, two may copy the same lines. A row is named by its line, so none is there twice; and the
        slower one takes the position back, so that what was erased after these lines is removed once more.
        """
        if not copying.lease(self._redis):
            return False
        try:
            position = self.position()
            while position < end:
                entries = journal.read(self._redis, position, min(PIECE, end - position))
                self._mark(position, position + len(entries))
                self._put(entries, position)
                position += len(entries)
                if not entries or not copying.reached(self._redis, self._collection.name, position):
                    raise REPLACED
        finally:
            copying.release(self._redis)
        return True

    def _put(self, entries: Sequence[Entry], first: int) -> None:
        last = {entry.digest: (line, entry) for line, entry in enumerate(entries, first)}
        erased = {entry.digest for entry in entries if entry.erased}
        back = {digest for digest in erased if not last[digest][1].erased}
        self._collection.remove(list(erased - back), first + len(entries))
        for digest in back:
            self._collection.remove([digest], last[digest][0])
        self._collection.add((line, digest, entry.encodings) for digest, (line, entry) in last.items())
