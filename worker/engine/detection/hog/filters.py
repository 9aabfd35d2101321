"""Scores of all windows, from rows of features as they come.

A score is a sum over 305 separable filters. Rows of features arrive in pairs. For a block of sixteen columns
each filter is run along the two rows, and the results are added, times the filter's weights along y, to the
eleven rows of scores that they belong to. So a row of features is read once, while it is in the cache, and what
is kept is a few rows of scores. All of that is in integers; `fixed` proves how far they may be off.

Scores of a block lie together, score row t of sub-detector d from (t * DETECTORS + d) * LANES on.
"""

# ruff: noqa: PLR0917 -- kernels take arrays and where in them; a call of theirs has no keywords

from __future__ import annotations

import numpy as np

from worker.engine.detection.hog.fixed import FEATURE, SHIFT, Fixed
from worker.engine.detection.hog.weights import DETECTORS, PLANES, WINDOW
from worker.simd.arithmetic import as_i16, fma, shift_left, shift_right, to_i32
from worker.simd.kernel import Floats, Integers, Vector, kernel
from worker.simd.lanes import load, splat, store
from worker.simd.shuffles import dot_pairs, total

LANES = 16
ROW = DETECTORS * LANES
TOUCHED = WINDOW + 1  # rows of scores that a pair of rows of features adds to


@kernel
def pair_up(features: Floats, at: int, pairs: Integers, to: int, plane: int) -> None:
    """Write a row's features as integers, each in one number with its right neighbour."""
    unit, half = splat(np.float32(FEATURE), LANES), splat(np.float32(0.5), LANES)
    for x in range(0, PLANES * plane - LANES, LANES):
        left = to_i32(fma(load(features, at + x, LANES), unit, half))
        right = to_i32(fma(load(features, at + x + 1, LANES), unit, half))
        store(pairs, to + x, left + shift_left(right, 16))


@kernel
def add_pair(pairs: Integers, at: int, plane: int, fixed: Fixed, scores: Integers, to: int) -> None:
    """Add a pair of rows of features to one block's scores.

    pairs: the first row's plane p begins at at + p * plane, the second row's PLANES * plane after it.
    scores: the block's TOUCHED rows of scores begin at `to`; the last two are new.
    """
    second = PLANES * plane
    for i in range((WINDOW - 1) * ROW, TOUCHED * ROW, LANES):
        store(scores, to + i, splat(np.int32(0), LANES))
    for p in range(PLANES):
        upper_inputs = _ten(pairs, at + p * plane)
        lower_inputs = _ten(pairs, at + p * plane + second)
        for f in range(fixed.first[p], fixed.singles[p], 2):
            one = _run(upper_inputs, lower_inputs, fixed.rows, f)
            other = _run(upper_inputs, lower_inputs, fixed.rows, f + 1)
            score = to + fixed.detector[f] * LANES
            for r in range(TOUCHED):
                row = score + r * ROW
                change = dot_pairs(one, _weights(fixed.columns, f * TOUCHED + r))
                change += dot_pairs(other, _weights(fixed.columns, (f + 1) * TOUCHED + r))
                store(scores, row, load(scores, row, LANES) + change)
        for f in range(fixed.singles[p], fixed.first[p + 1]):
            one = _run(upper_inputs, lower_inputs, fixed.rows, f)
            score = to + fixed.detector[f] * LANES
            for r in range(TOUCHED):
                row = score + r * ROW
                change = dot_pairs(one, _weights(fixed.columns, f * TOUCHED + r))
                store(scores, row, load(scores, row, LANES) + change)


@kernel
def _weights(numbers: Integers, at: int) -> Vector:
    return as_i16(splat(numbers[at], LANES))


@kernel
def _run(
    upper_inputs: tuple[Vector, ...], lower_inputs: tuple[Vector, ...], rows: Integers, f: int
) -> Vector:
    """Return one filter's sums along the two rows, the upper one's in the low halves."""
    upper = _along(upper_inputs, rows, f * 5)
    lower = _along(lower_inputs, rows, f * 5)
    return as_i16(shift_right(upper, SHIFT) + (lower & splat(np.int32(-1 << SHIFT), LANES)))


@kernel
def _ten(pairs: Integers, x: int) -> tuple[Vector, Vector, Vector, Vector, Vector]:
    """Return sixteen cells and their next nine neighbours, for all filters to read from registers."""
    return (
        as_i16(load(pairs, x, LANES)),
        as_i16(load(pairs, x + 2, LANES)),
        as_i16(load(pairs, x + 4, LANES)),
        as_i16(load(pairs, x + 6, LANES)),
        as_i16(load(pairs, x + 8, LANES)),
    )


@kernel
def _along(inputs: tuple[Vector, ...], weights: Integers, at: int) -> Vector:
    """Return the sum of ten inputs, weighted."""
    result = dot_pairs(inputs[0], _weights(weights, at))
    result += dot_pairs(inputs[1], _weights(weights, at + 1))
    result += dot_pairs(inputs[2], _weights(weights, at + 2))
    result += dot_pairs(inputs[3], _weights(weights, at + 3))
    result += dot_pairs(inputs[4], _weights(weights, at + 4))
    return result


@kernel
def exact_score(
    features: Floats, plane: int, rows: int, height: int, t: int, x: int, dense: Floats, d: int
) -> float:
    """Return the score in float of the window of sub-detector d whose fifth row is row t of the features.

    features: a ring of `rows` rows, each PLANES planes of `plane` numbers; x: where the window's columns begin.
    """
    even = odd = splat(np.float32(0), LANES)
    for k in range(max(4 - t, 0), min(WINDOW, height - t + 4)):
        row = (t - 4 + k) % rows * PLANES * plane + x
        for p in range(PLANES):
            weights = load(dense, ((d * PLANES + p) * WINDOW + k) * 16, LANES)
            inputs = load(features, row + p * plane, LANES)
            even, odd = fma(inputs, weights, odd), even
    score: float = total(even + odd)
    return score
