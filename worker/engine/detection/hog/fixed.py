"""The filters in 16-bit integers: twice as many to a register as floats, and two products to an instruction.

What comes out is not the score but near it, and how near is proven here: no window's score can be further away
than `Fixed.slack`, whatever the picture. So windows below their threshold by more than the slack are done with,
nearly all; only the others are scored in float.
"""

from __future__ import annotations

from itertools import groupby, pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from worker.engine.detection.hog.weights import DETECTORS, PLANES, WINDOW, Filters

FEATURE = 1 << 15  # units of a feature; 0.85 is the largest, see `_largest_features`
SHIFT = 16  # what a sum along a row gives away, to fit 16 bits again
SCORE = 1 << 25  # units of a score: 60, more than any score, fits 32 bits
ROW_WEIGHTS = 16_000  # units that the weights along a row are given: the best between both kinds of rounding


class Fixed(NamedTuple):
    """The filters as integers; two neighbouring weights of 16 bits are one number, the first in the low half."""

    first: NDArray[np.int64]  # (PLANES + 1,): a plane's first filter; couples of one sub-detector come first
    singles: NDArray[np.int64]  # (PLANES,): a plane's first filter that has no partner
    detector: NDArray[np.int64]  # (filters,): the sub-detector that a filter belongs to
    rows: NDArray[np.int32]  # (filters * 5,): weights along x
    columns: NDArray[np.int32]  # (filters * 11,): weights along y, upwards, of a row and of the one below it
    dense: NDArray[
        np.float32
    ]  # (DETECTORS * PLANES * WINDOW * 16,): the weights in float; rows end with six zeros
    slack: NDArray[
        np.float64
    ]  # (DETECTORS,): the largest difference of a score in integers from one in float


def fixed(filters: Filters) -> Fixed:
    """Return the integers for these filters, and what can be lost by them."""
    filters, singles = _couple(filters)
    along, down = (x.reshape(-1, WINDOW).astype(np.float64) for x in (filters.rows, filters.columns))
    scale = ROW_WEIGHTS / np.abs(along).sum(axis=1, keepdims=True)
    rows = np.rint(along * scale)
    unit = scale * FEATURE / (1 << SHIFT)  # of a sum along a row
    columns = np.rint(down * SCORE / unit)
    if max(np.abs(rows).max(), np.abs(columns).max()) >= 1 << 15:
        raise ValueError("a weight of the installed dlib's face detector is too large for 16 bits")
    upwards = np.pad(columns[:, ::-1], ((0, 0), (1, 1)))
    dense = _dense(filters, along, down)
    made = _dense(filters, rows * FEATURE / (1 << SHIFT), columns / SCORE)
    return Fixed(
        first=filters.first,
        singles=singles,
        detector=filters.detector,
        rows=_pairs(rows[:, 0::2], rows[:, 1::2]),
        columns=_pairs(upwards[:, 1:], upwards[:, :-1]),
        dense=np.pad(dense, ((0, 0),) * 3 + ((0, 6),)).astype(np.float32).ravel(),
        slack=_slack(filters.detector, rows, columns, dense, made),
    )


def _couple(filters: Filters) -> tuple[Filters, NDArray[np.int64]]:
    """Sort each plane's filters: those that can go two by two, for one sub-detector, before the others."""
    order: list[int] = []
    singles = []
    for first, end in pairwise(filters.first):
        same = [list(group) for _, group in groupby(range(first, end), key=filters.detector.__getitem__)]
        order += [f for group in same for f in group[: len(group) // 2 * 2]]
        singles.append(len(order))
        order += [group[-1] for group in same if len(group) % 2]
    rows, columns = (x.reshape(-1, WINDOW)[order].ravel() for x in (filters.rows, filters.columns))
    return Filters(filters.detector[order], filters.first, rows, columns), np.array(singles)


def _pairs(low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.int32]:
    words = np.stack([low, high], axis=-1).astype("<i2")
    return np.ascontiguousarray(words).view("<i4").astype(np.int32).ravel()


def _dense(filters: Filters, along: NDArray[np.float64], down: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the weights (DETECTORS, PLANES, WINDOW, WINDOW) that the separable filters add up to."""
    plane = np.repeat(np.arange(PLANES), np.diff(filters.first))
    dense = np.zeros((DETECTORS, PLANES, WINDOW, WINDOW))
    np.add.at(dense, (filters.detector, plane), down[:, :, None] * along[:, None, :])
    return dense


def _largest_features() -> NDArray[np.float64]:
    """Four blocks give 0.1 each to planes 0..26, one block 0.1 for each of 18 directions to 27..30, at most."""
    return np.where(np.arange(PLANES) < 27, 0.4, 18 * 0.1 * 2 * 0.2357)


def _slack(
    detector: NDArray[np.int64],
    rows: NDArray[np.float64],
    columns: NDArray[np.float64],
    dense: NDArray[np.float64],
    made: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Bound what rounding can change: of weights, of sums along a row, of features, and 1e-4 for float32."""
    weights = np.einsum("dpyx,p->d", np.abs(made - dense), _largest_features())
    one_sum = 1 + 0.5 * np.abs(rows).sum(axis=1) / (1 << SHIFT)
    sums = np.bincount(detector, np.abs(columns).sum(axis=1) / SCORE * one_sum, DETECTORS)
    return np.asarray(weights + sums + 1e-4)
