"""Scores of all windows, from rows of features as they come.

A score is a sum over 305 separable filters. Rows of features arrive in pairs. For a block of sixteen columns
each filter is run along the two rows, and the result is added, times the filter's weights along y, to the
eleven rows of scores that it belongs to. So a row of features is read once, while it is in the cache, and what
is kept is a few rows of scores.

Scores of a block lie together: score row t, sub-detector d at (t * DETECTORS + d) * LANES. Row t counts from -5,
as the first row of features is the last of the window five rows up (whose score, outside the picture, is never
used), and is found at index t + 5.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from worker.engine.hog.lanes import any_set, fma, load, splat, store
from worker.engine.hog.weights import DETECTORS, PLANES, WINDOW

LANES = 16
TOUCHED = WINDOW + 1  # rows of scores that a pair of rows of features adds to
ROW = DETECTORS * LANES


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]  # numba has no types
def add_pair(features, at, plane, filters, scores, to):  # type: ignore[no-untyped-def]  # compiled
    """Add a pair of rows of features to one block's scores.

    features: the first row's plane p begins at at + p * plane, the second row's PLANES * plane after it.
    scores: the block's TOUCHED rows of scores begin at `to`; the last two are new.
    """
    second = PLANES * plane
    for i in range((WINDOW - 1) * ROW, TOUCHED * ROW, LANES):
        store(scores, to + i, splat(np.float32(0), LANES))
    for p in range(PLANES):
        upper_inputs = _ten(features, at + p * plane)
        lower_inputs = _ten(features, at + p * plane + second)
        for f in range(filters.first[p], filters.first[p + 1]):
            upper = _along(upper_inputs, filters.rows, f * WINDOW)
            lower = _along(lower_inputs, filters.rows, f * WINDOW)
            score = to + filters.detector[f] * LANES
            after = splat(np.float32(0), LANES)
            for r in range(WINDOW):
                # the upper row is row 9 - r of the window that begins r rows down
                weight = splat(filters.columns[f * WINDOW + WINDOW - 1 - r], LANES)
                total = fma(upper, weight, load(scores, score + r * ROW, LANES))
                store(scores, score + r * ROW, fma(lower, after, total))
                after = weight
            last = score + WINDOW * ROW
            store(scores, last, fma(lower, after, load(scores, last, LANES)))


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]  # numba has no types
def _ten(row, x):  # type: ignore[no-untyped-def]  # compiled
    """Return sixteen cells and their next nine neighbours, for all filters to read from registers."""
    return (
        load(row, x, LANES),
        load(row, x + 1, LANES),
        load(row, x + 2, LANES),
        load(row, x + 3, LANES),
        load(row, x + 4, LANES),
        load(row, x + 5, LANES),
        load(row, x + 6, LANES),
        load(row, x + 7, LANES),
        load(row, x + 8, LANES),
        load(row, x + 9, LANES),
    )


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]  # numba has no types
def _along(inputs, weights, at):  # type: ignore[no-untyped-def]  # compiled
    """Return the sum of the ten inputs, weighted; in two halves, which do not wait for each other."""
    near = inputs[0] * splat(weights[at], LANES)
    far = inputs[5] * splat(weights[at + 5], LANES)
    near = fma(inputs[1], splat(weights[at + 1], LANES), near)
    far = fma(inputs[6], splat(weights[at + 6], LANES), far)
    near = fma(inputs[2], splat(weights[at + 2], LANES), near)
    far = fma(inputs[7], splat(weights[at + 7], LANES), far)
    near = fma(inputs[3], splat(weights[at + 3], LANES), near)
    far = fma(inputs[8], splat(weights[at + 8], LANES), far)
    near = fma(inputs[4], splat(weights[at + 4], LANES), near)
    far = fma(inputs[9], splat(weights[at + 9], LANES), far)
    return near + far
