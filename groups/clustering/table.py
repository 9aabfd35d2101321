"""Group summaries in arrays, and the search for near groups."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from groups.clustering.scan import DIMENSIONS, LANES, measure
from groups.clustering.sketches import Sketches
from groups.clustering.summary import Summary

Number = TypeVar("Number", np.int64, np.float32, np.float64)

FIRST_FIT = 64  # groups at which the sketches are fitted first; again at each fourfold
SAMPLE = 16_384  # groups they are fitted to at most
GONE = np.inf  # the spread of a free row


class Table:
    """Summaries by group number, and the search for near ones. A group takes about 600 bytes.

    Rows are reused; those that are free have the spread `GONE`, so that they are near nothing.
    """

    def __init__(self) -> None:
        self._rows: dict[int, int] = {}
        self._free: list[int] = []
        self._used = 0
        self._fitted = 0
        self._sketches = Sketches(LANES)
        self._numbers = np.zeros(LANES, np.int64)
        self._counts = np.zeros(LANES, np.int64)
        self._evidence = np.zeros(LANES, np.float64)
        self._spreads = np.full(LANES, GONE)
        self._centroids = np.zeros((LANES, DIMENSIONS), np.float32)

    def __len__(self) -> int:
        return len(self._rows)

    def __contains__(self, number: object) -> bool:
        return number in self._rows

    def __getitem__(self, number: int) -> Summary:
        row = self._rows[number]
        return Summary(
            int(self._counts[row]),
            self._centroids[row].copy(),
            float(self._spreads[row]),
            float(self._evidence[row]),
        )

    def __setitem__(self, number: int, summary: Summary) -> None:
        row = self._rows.get(number)
        if row is None:
            row = self._rows[number] = self._free.pop() if self._free else self._next()
        self._numbers[row] = number
        self._counts[row], self._evidence[row] = summary.count, summary.evidence
        self._centroids[row], self._spreads[row] = summary.centroid, summary.spread
        self._sketches.put(row, summary.centroid, summary.spread)
        if len(self) >= max(4 * self._fitted, FIRST_FIT) and self._fitted < SAMPLE:
            self._fit()

    def __delitem__(self, number: int) -> None:
        row = self._rows.pop(number)
        self._free.append(row)
        self._spreads[row] = GONE
        self._sketches.free(row)

    @property
    def nbytes(self) -> int:
        """Allocated bytes."""
        arrays = (self._numbers, self._counts, self._evidence, self._spreads, self._centroids)
        return sum(array.nbytes for array in arrays) + self._sketches.nbytes

    def numbers(self) -> Iterable[int]:
        """The numbers of all groups."""
        return self._rows.keys()

    def near(
        self, summary: Summary, reach: float
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Find the groups within a distance: their numbers, distances and evidence, in no order."""
        rows = self._sketches.candidates(summary.centroid, reach, summary.spread)
        rows, distances = measure(
            self._centroids, self._spreads, summary.centroid, summary.spread, reach, rows
        )
        return self._numbers[rows], distances, self._evidence[rows]

    def _next(self) -> int:
        if self._used == len(self._counts):
            self._make_room(self._used + max(self._used // 4 // LANES, 1) * LANES)
        self._used += 1
        return self._used - 1

    def _make_room(self, rows: int) -> None:
        self._sketches.make_room(rows)
        self._numbers, self._counts = _grown(self._numbers, rows), _grown(self._counts, rows)
        self._evidence, self._spreads = _grown(self._evidence, rows), _grown(self._spreads, rows)
        self._spreads[self._used :] = GONE
        self._centroids = _grown(self._centroids, rows)

    def _fit(self) -> None:
        rows = np.fromiter(self._rows.values(), np.int64)
        self._sketches.fit(self._centroids[rows[:: -(-len(rows) // SAMPLE)]])
        self._fitted = len(self)
        for row in rows.tolist():
            self._sketches.put(row, self._centroids[row], float(self._spreads[row]))


def _grown(array: NDArray[Number], rows: int) -> NDArray[Number]:
    grown: NDArray[Number] = np.zeros((rows, *array.shape[1:]), array.dtype)
    grown[: len(array)] = array
    return grown
