"""Sketches of all centroids, kept in rows (`groups.clustering.scan` explains why they exclude no near group)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from groups.clustering.scan import AXES, DIMENSIONS, LANES, project, scan
from groups.clustering.summary import Vector

LARGEST = 127  # of a sketch; what is beyond is cut off
TYPICAL = 24_000  # squared steps between two groups: so that few pass 2^16, and rounding loses little
FREE = 2**15  # the term of a free row: beyond any reach
MIN_STEP = 1e-4
ROUNDING = 1e-5  # more than float32 loses in a projection


class Sketches:
    """A sketch per row; rows are those of `groups.clustering.table.Table`."""

    def __init__(self, rows: int) -> None:
        self._axes = np.eye(DIMENSIONS, dtype=np.float32)[:AXES]
        self._middle = np.zeros(AXES, np.float32)
        self._step = 0.005
        self._sketches = np.zeros((0, AXES, LANES), np.int8)
        self._terms = np.zeros((0, LANES), np.uint16)
        self._found = np.empty(0, np.int64)
        self.make_room(rows)

    @property
    def nbytes(self) -> int:
        """Allocated bytes."""
        return self._sketches.nbytes + self._terms.nbytes

    def make_room(self, rows: int) -> None:
        """Add free rows up to a multiple of `LANES`."""
        before, blocks = len(self._terms), -(-rows // LANES)
        sketches, terms = np.zeros((blocks, AXES, LANES), np.int8), np.full((blocks, LANES), FREE, np.uint16)
        sketches[:before], terms[:before] = self._sketches, self._terms
        self._sketches, self._terms = sketches, terms
        self._found = np.empty(blocks * LANES, np.int64)

    def fit(self, sample: Vector) -> None:
        """Choose the axes along which a sample varies most, (n, 128); every row has to be put again.

        Any axes are correct; these exclude the most groups.
        """
        values = sample.astype(np.float64)
        middle = values.mean(axis=0)
        variance, axes = np.linalg.eigh((values - middle).T @ (values - middle) / len(values))
        self._axes = np.ascontiguousarray(axes[:, -AXES:].T, dtype=np.float32)
        self._middle = (self._axes @ middle).astype(np.float32)
        apart = 2 * float(np.maximum(variance[-AXES:], 0.0).sum())
        self._step = max(float(np.sqrt(apart / TYPICAL)), MIN_STEP)

    def put(self, row: int, centroid: Vector, spread: float) -> None:
        """Sketch a group."""
        block, lane = divmod(row, LANES)
        self._sketches[block, :, lane] = self._sketch(centroid)
        self._terms[block, lane] = min(int(spread / self._step**2), FREE - 1)

    def free(self, row: int) -> None:
        """Forget a group."""
        self._terms[divmod(row, LANES)] = FREE

    def candidates(self, centroid: Vector, reach: float, spread: float) -> NDArray[np.int64]:
        """Rows among which are all groups within a distance of a group with this centroid and spread.

        Free rows may be among them. The next call overwrites the array.
        """
        lost = self._step * float(np.sqrt(AXES)) + ROUNDING
        bound = (reach**2 - spread + 2 * lost * reach + lost**2) / self._step**2
        if bound < 0:
            return self._found[:0]
        query = self._sketch(centroid).view(np.uint16)
        limit = np.uint16(min(bound + 1, 2**16 - 1))
        found = scan(self._sketches.reshape(-1), self._terms.reshape(-1), query, limit, self._found)
        return self._found[:found]

    def _sketch(self, centroid: Vector) -> NDArray[np.int16]:
        return project(self._axes, self._middle, self._step, LARGEST, centroid)
