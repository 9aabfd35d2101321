"""Scores of all windows of a tile at once, by Fourier transforms.

A score is a sum of 3,100 products, of a window's features and a sub-detector's weights. In the transforms of both,
one product does for all windows of a tile, which is SIDE cells high and wide and holds VALID * VALID windows whole.
The features are transformed along the rows and then along the columns, multiplied, added up over their planes, and
what is left is transformed back. `spectra` proves how far rounding can take the results from the scores.

Rows of cells lie in a ring of SIDE rows. Which of them a tile begins with does not matter: transforms take numbers
that stand in a circle.
"""

# ruff: noqa: PLR0917 -- kernels take arrays and where in them; a call of theirs has no keywords

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from worker.engine.detection.hog.fourier import KEPT, SIDE, along, back_along, from_spectrum, to_spectrum
from worker.engine.detection.hog.spectra import DEPTH, Spectra
from worker.engine.detection.hog.weights import DETECTORS, WINDOW
from worker.simd.arithmetic import fma
from worker.simd.kernel import Floats, Vector, kernel
from worker.simd.lanes import load, splat, store
from worker.simd.processor import compiles_for
from worker.simd.shuffles import total, totals

VALID = SIDE - WINDOW + 1
TILES = 3  # at once: they share what is loaded of the weights, and fit the cache together
LANES = 16 if compiles_for("avx512f") else 8  # planes in a register
POSES = 8  # lanes that hold the scores of the sub-detectors
NUMBER = 2 * DEPTH  # floats of a complex number of each plane
APART = (
    2 * LANES
)  # floats between columns: at distances of powers of two all compete for the same lines of the cache
COLUMN = SIDE * NUMBER + APART
TILE = KEPT * COLUMN
SUM = 2 * POSES
SUMS = SIDE * SUM + APART
EXACT = 16  # numbers of an exact score that are multiplied at once


class Tiles(NamedTuple):
    """Room for TILES tiles that are worked on together; zero at first."""

    rows: Floats  # transforms along rows: column, row, part, plane
    columns: Floats  # one column of each tile, transformed further
    sums: Floats  # over planes, of each tile: column, row, part, sub-detector
    back: Floats  # the same, transformed back along columns
    scores: Floats  # of one row of windows: window, sub-detector


@kernel
def tiles() -> Tiles:
    """Return room for tiles."""
    return Tiles(
        np.zeros(TILES * TILE, np.float32),
        np.zeros(TILES * COLUMN, np.float32),
        np.zeros(TILES * KEPT * SUMS, np.float32),
        np.zeros(KEPT * SUMS, np.float32),
        np.zeros(SIDE * POSES, np.float32),
    )


@kernel
def multiply_tiles(cells: Floats, at: int, row: int, count: int, spectra: Spectra, room: Tiles) -> None:
    """Make the sums of `count` tiles, the first of which begins at `at` in a ring of SIDE rows of `row` numbers."""
    for y in range(SIDE):
        for tile in range(count):
            for plane in range(0, DEPTH, LANES):
                source, to = at + y * row + tile * VALID * DEPTH + plane, tile * TILE + y * NUMBER + plane
                to_spectrum(cells, source, DEPTH, 0, room.rows, to, COLUMN, DEPTH, LANES)
    for x in range(KEPT):
        for tile in range(count):
            for plane in range(0, DEPTH, LANES):
                source, to = tile * TILE + x * COLUMN + plane, tile * COLUMN + plane
                along(room.rows, source, NUMBER, DEPTH, room.columns, to, NUMBER, DEPTH, LANES)
        for y in range(SIDE):
            weights = (x * SIDE + y) * DETECTORS * NUMBER
            for tile in range(count):
                to = (tile * KEPT + x) * SUMS + y * SUM
                _multiply(room.columns, tile * COLUMN + y * NUMBER, spectra.products, weights, room.sums, to)


@kernel
def _multiply(columns: Floats, at: int, weights: Floats, by: int, sums: Floats, to: int) -> None:
    """Multiply one complex number of each plane with all sub-detectors', and add up the planes."""
    real0, imaginary0 = _product(columns, at, weights, by)
    real1, imaginary1 = _product(columns, at, weights, by + NUMBER)
    real2, imaginary2 = _product(columns, at, weights, by + 2 * NUMBER)
    real3, imaginary3 = _product(columns, at, weights, by + 3 * NUMBER)
    real4, imaginary4 = _product(columns, at, weights, by + 4 * NUMBER)
    store(sums, to, totals(real0, real1, real2, real3, real4))
    store(sums, to + POSES, totals(imaginary0, imaginary1, imaginary2, imaginary3, imaginary4))


@kernel
def _product(columns: Floats, at: int, weights: Floats, by: int) -> tuple[Vector, Vector]:
    real = imaginary = less = splat(np.float32(0), LANES)
    for plane in range(0, DEPTH, LANES):
        a, b = load(columns, at + plane, LANES), load(columns, at + DEPTH + plane, LANES)
        c, d = load(weights, by + plane, LANES), load(weights, by + DEPTH + plane, LANES)
        real, less = fma(a, c, real), fma(b, d, less)
        imaginary = fma(b, c, fma(a, d, imaginary))
    return real - less, imaginary


@kernel
def turn_back(room: Tiles, tile: int) -> None:
    """Transform a tile's sums back along the columns."""
    for x in range(KEPT):
        at = (tile * KEPT + x) * SUMS
        back_along(room.sums, at, SUM, POSES, room.back, x * SUMS, SUM, POSES, POSES)


@kernel
def score_row(room: Tiles, y: int) -> None:
    """Make the scores of the windows that begin in a row of the ring."""
    from_spectrum(room.back, y * SUM, SUMS, POSES, room.scores, 0, POSES, 0, POSES)


@kernel
def exact_score(cells: Floats, t: int, x: int, row: int, dense: Floats, d: int) -> float:
    """Return the score, by its products, of the window of sub-detector d that begins in row t and column x.

    cells: a ring of SIDE rows of `row` numbers.
    """
    even = odd = splat(np.float32(0), EXACT)
    for k in range(WINDOW):
        at, by = (t + k) % SIDE * row + x * DEPTH, (d * WINDOW + k) * WINDOW * DEPTH
        for i in range(0, WINDOW * DEPTH, EXACT):
            inputs, weights = load(cells, at + i, EXACT), load(dense, by + i, EXACT)
            even, odd = fma(inputs, weights, odd), even
    score: float = total(even + odd)
    return score
