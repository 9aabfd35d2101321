"""Group summaries in arrays, and the search for near groups."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groups.scan import HEAD, LANES, scan

DIMENSIONS = 128
FIRST_FIT = 64  # groups at which the axes of the heads are fitted first; again at each fourfold
SAMPLE = 16_384

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """What the rule needs to know about a set of faces.

    Attributes:
        count: number of faces.
        centroid: their mean, float32 of shape (128,).
        spread: their mean squared distance from the centroid.
        evidence: sum of the evidence of its faces.
    """

    count: int
    centroid: Vector
    spread: float
    evidence: float

    @classmethod
    def of(cls, encodings: Vector, evidence: float) -> Summary:
        """Summarize encodings, (n, 128)."""
        values = encodings.astype(np.float64)
        centroid = values.mean(axis=0)
        spread = float(((values - centroid) ** 2).sum(axis=1).mean())
        return cls(len(values), centroid.astype(np.float32), spread, evidence)

    def joined(self, other: Summary) -> Summary:
        """Summarize the union, to the precision of float32 centroids."""
        count = self.count + other.count
        ours, theirs = self.centroid.astype(np.float64), other.centroid.astype(np.float64)
        share = other.count / count
        spread = self.spread * (1 - share) + other.spread * share
        return Summary(
            count,
            (ours + (theirs - ours) * share).astype(np.float32),
            spread + share * (1 - share) * float(((theirs - ours) ** 2).sum()),
            self.evidence + other.evidence,
        )

    def distance(self, other: Summary) -> float:
        """Root mean squared distance between the faces of both."""
        apart = self.centroid.astype(np.float64) - other.centroid.astype(np.float64)
        return float(np.sqrt(apart @ apart + self.spread + other.spread))


class Table:
    """Summaries by group number, and the search for near ones. A group takes about 750 bytes."""

    def __init__(self) -> None:
        self._rows: dict[int, int] = {}
        self._free: list[int] = []
        self._used = 0
        self._fitted = 0
        self._axes = np.eye(DIMENSIONS, dtype=np.float32)[:HEAD]
        self._make_room(LANES)

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
        self._put_heads(slice(row, row + 1))
        if len(self) >= max(4 * self._fitted, FIRST_FIT) and self._fitted < SAMPLE:
            self._fit()

    def __delitem__(self, number: int) -> None:
        row = self._rows.pop(number)
        self._free.append(row)
        self._heads_spreads[divmod(row, LANES)] = np.inf

    def numbers(self) -> Iterable[int]:
        """The numbers of all groups."""
        return self._rows.keys()

    @property
    def nbytes(self) -> int:
        """Allocated bytes."""
        arrays = (self._numbers, self._counts, self._evidence, self._spreads, self._centroids)
        return sum(array.nbytes for array in (*arrays, self._heads, self._heads_spreads))

    def near(
        self, summary: Summary, reach: float
    ) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
        """Find the groups within a distance: their numbers, distances and evidence, in no order."""
        bound = np.float32((reach * reach - summary.spread) * (1 + 1e-4) + 1e-5)
        head = self._axes @ summary.centroid
        found = scan(self._heads, self._heads_spreads, head, bound, self._scratch)
        rows = self._scratch[:found]
        apart = self._centroids[rows].astype(np.float64) - summary.centroid.astype(np.float64)
        distances = np.sqrt(np.einsum("ij,ij->i", apart, apart) + self._spreads[rows] + summary.spread)
        within = distances <= reach
        rows = rows[within]
        return self._numbers[rows], distances[within], self._evidence[rows]

    def _next(self) -> int:
        if self._used == len(self._counts):
            self._make_room(self._used + max(self._used // 4, LANES))
        self._used += 1
        return self._used - 1

    def _make_room(self, rows: int) -> None:
        blocks = -(-rows // LANES)
        rows = blocks * LANES
        before = self._used
        old = vars(self).copy()
        self._numbers = np.zeros(rows, np.int64)
        self._counts = np.zeros(rows, np.int64)
        self._evidence = np.zeros(rows, np.float64)
        self._spreads = np.zeros(rows, np.float64)
        self._centroids = np.zeros((rows, DIMENSIONS), np.float32)
        self._heads = np.zeros((blocks, HEAD, LANES), np.float32)
        self._heads_spreads = np.full((blocks, LANES), np.inf, np.float32)
        self._scratch = np.empty(rows, np.int64)
        for name in ("_numbers", "_counts", "_evidence", "_spreads", "_centroids"):
            if before:
                getattr(self, name)[:before] = old[name]
        if before:
            self._heads[: before // LANES] = old["_heads"]
            self._heads_spreads[: before // LANES] = old["_heads_spreads"]

    def _fit(self) -> None:
        """Fit the axes to the centroids' principal components. Any axes are correct; these exclude most groups."""
        rows = np.fromiter(self._rows.values(), np.int64)
        sample = self._centroids[rows[:: -(-len(rows) // SAMPLE)]].astype(np.float64)
        sample -= sample.mean(axis=0)
        _, axes = np.linalg.eigh(sample.T @ sample)
        self._axes = np.ascontiguousarray(axes[:, -HEAD:].T, dtype=np.float32)
        self._fitted = len(self)
        for row in rows.tolist():
            self._put_heads(slice(row, row + 1))

    def _put_heads(self, rows: slice) -> None:
        for row in range(rows.start, rows.stop):
            block, lane = divmod(row, LANES)
            self._heads[block, :, lane] = self._axes @ self._centroids[row]
            self._heads_spreads[block, lane] = self._spreads[row]
