"""Faces in memory, growing along the journal, and which of them match: what a rebuild compares with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from client.checking import brute_force
from faces.store.collection.journal import Entry
from faces.store.keys import ENCODING_BYTES

DIMENSIONS = ENCODING_BYTES // 4
Pairs = tuple[NDArray[np.int64], NDArray[np.int64]]  # numbers of faces asked for, rows of faces known


class Gallery:
    """Is the `Faces` of `faces.store.collection.rebuild`, by brute force.

    A face takes about 530 bytes, twice while it grows. Rows are only ever added: those of a picture that was
    erased, or came again, belong to nobody.
    """

    def __init__(self, tolerance: float) -> None:
        self._tolerance = tolerance
        self._faces = np.empty((0, DIMENSIONS + 2), dtype=np.float32)  # as right sides of products
        self._norms = np.empty(0, dtype=np.float64)
        self._owners = np.empty(0, dtype=np.int64)  # numbers in `_hashes`; -1: nobody
        self._hashes: list[str] = []
        self._rows: dict[bytes, slice] = {}
        self._count = 0

    def advance(self, entries: Sequence[Entry]) -> None:
        """Take in the journal's next entries; of each picture the last one counts."""
        last = {entry.digest: entry for entry in entries}
        for digest in last.keys() & self._rows.keys():
            self._owners[self._rows.pop(digest)] = -1
        self._append([entry for entry in last.values() if entry.encodings])

    def matching(self, entries: Sequence[Entry]) -> list[set[str]]:
        """For each of these pictures, taken in before, the hashes of all others with a matching face."""
        asked = np.repeat(np.arange(len(entries)), [len(entry.encodings) for entry in entries])
        found: list[set[str]] = [set() for _ in entries]
        for a, rows in self._near(_vectors(entries)):
            edges = np.unique(np.stack([asked[a], self._owners[rows]]), axis=1)
            for number, owner in edges.T.tolist():
                found[number].add(self._hashes[owner])
        for entry, others in zip(entries, found, strict=True):
            others.discard(entry.digest.hex())
        return found

    def _append(self, entries: Sequence[Entry]) -> None:
        counts = [len(entry.encodings) for entry in entries]
        _, faces, norms = brute_force.extended(_vectors(entries))
        rows = slice(self._count, self._count + len(faces))
        self._make_room(rows.stop)
        self._faces[rows], self._norms[rows] = faces, norms
        self._owners[rows] = np.repeat(np.arange(len(entries)) + len(self._hashes), counts)
        ends = self._count + np.cumsum(counts, dtype=np.int64)
        for entry, count, end in zip(entries, counts, ends.tolist(), strict=True):
            self._rows[entry.digest] = slice(end - count, end)
            self._hashes.append(entry.digest.hex())
        self._count = rows.stop

    def _make_room(self, rows: int) -> None:
        if rows > len(self._owners):
            more = max(rows, 2 * len(self._owners)) - len(self._owners)
            self._faces = np.concatenate([self._faces, np.zeros((more, DIMENSIONS + 2), dtype=np.float32)])
            self._norms = np.concatenate([self._norms, np.zeros(more)])
            self._owners = np.concatenate([self._owners, np.full(more, -1)])

    def _near(self, faces: NDArray[np.float32]) -> Iterator[Pairs]:
        """Pairs within the tolerance of a face asked for and a known one that belongs to somebody."""
        left, _, norms = brute_force.extended(faces)
        known = self._faces[:, :DIMENSIONS]
        for first in range(0, len(faces), brute_force.ROWS):
            asked = slice(first, first + brute_force.ROWS)
            for start in range(0, self._count, brute_force.COLUMNS):
                block = slice(start, min(start + brute_force.COLUMNS, self._count))
                largest = norms[asked].max() + self._norms[block].max()
                flat = brute_force.possible(left[asked], self._faces[block], self._tolerance, largest)
                a, b = np.divmod(flat, block.stop - block.start)
                there = self._owners[b + start] >= 0
                a, b = a[there] + first, b[there] + start
                within = brute_force.near(faces, a, known, b, self._tolerance)
                yield a[within], b[within]


def _vectors(entries: Sequence[Entry]) -> NDArray[np.float32]:
    encodings = b"".join(encoding for entry in entries for encoding in entry.encodings)
    return np.frombuffer(encodings, dtype="<f4").reshape(-1, DIMENSIONS).astype(np.float32)
