"""One level of the pyramid: pixels, histograms, features and scores, band by band.

A band is a row of patches, eight rows of pixels. Its pixels are made from the level before, its patches vote, a
row of cells becomes complete, then a row of features, and every second row of features goes through the filters.
So each intermediate result is used while it is in the cache, and only a few rows of it exist.
"""

# ruff: noqa: PLR0917 -- kernels take arrays and where in them; a call of theirs has no keywords

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from worker.engine.detection.hog.features import join_votes, measure_blocks, write_features
from worker.engine.detection.hog.filters import LANES, ROW, TOUCHED, add_pair, exact_score, pair_up
from worker.engine.detection.hog.fixed import SCORE, Fixed
from worker.engine.detection.hog.histogram import (
    CELL,
    DIRECTIONS,
    PATCHES,
    PIXELS,
    STEP,
    cells_of,
    spread,
    visible,
    vote,
)
from worker.engine.detection.hog.picture import Picture
from worker.engine.detection.hog.resize import origins, resize_row
from worker.engine.detection.hog.weights import DETECTORS, PLANES
from worker.simd.arithmetic import any_set
from worker.simd.kernel import Floats, Integers, Shorts, kernel
from worker.simd.lanes import load, splat

BEFORE = 4  # columns of zeros before the features: a window reaches so far over the border
KEPT = 12  # rows of features: the ten of a window, and another when two arrive at once

Windows: TypeAlias = list[tuple[int, int, int, float]]  # sub-detector, row and column in features, score


class Rows(NamedTuple):
    """The few rows of intermediate results that exist at once, for one level."""

    height: int  # of the features
    width: int
    stride: int  # cells in a row, with room
    plane: int  # features in a row of a plane, with zeros before and after
    block_scores: int  # scores of a block of LANES columns
    votes: Floats
    direction: Shorts
    length: Floats
    left: Floats  # two rows of votes for the cells to the left, two for those to the right
    right: Floats
    cells: Floats  # two rows of histograms, and of what follows from them
    energy: Floats
    caps: Floats
    scales: Floats
    features: Floats  # KEPT rows
    pairs: Integers  # two rows of features as integers
    scores: Integers  # all rows: they are small, and few are touched at a time


@kernel
def scan(source: Picture, picture: Picture, fixed: Fixed, thresholds: NDArray[np.float64]) -> Windows:
    """Return the windows of one level whose score reaches its sub-detector's threshold.

    source, picture: the level before, and this one, whose pixels are made here; or twice the same picture.
    A window's row and column are those of its fifth cell.
    """
    windows = [(0, 0, 0, 0.0) for _ in range(0)]
    origin = origins(source, picture)
    made = picture.height if source.data.ctypes.data == picture.data.ctypes.data else 0
    tall, wide = cells_of(picture.height), cells_of(picture.width)
    if tall > 2 and wide > 2:
        rows = _rows(tall - 2, wide - 2)
        limits = _limits(thresholds, fixed)
        for band in range(tall + 1):
            needed = min(CELL * band + CELL // 2 + 1, picture.height)
            for row in range(made, needed):
                resize_row(source, origin, picture, row)
            made = max(made, needed)
            _vote(picture, band, rows)
            y = band - 3  # the row of features that this band completes
            if y >= 0:
                _describe(band, y, rows)
            if y >= 0 and (y % 2 == 1 or y == rows.height - 1):
                _filter(y - y % 2, y, fixed, rows)
                _find(y - y % 2, y, fixed, thresholds, limits, rows, windows)
    for row in range(made, picture.height):
        resize_row(source, origin, picture, row)
    return windows


@kernel
def _rows(height: int, width: int) -> Rows:
    """Return rows for features of this size; zero where a first reader comes before a writer."""
    # cells are numbered to width + 3; a block of patches, the cells right of it and a vector go past that
    stride = (width + 4 + 2 * PATCHES + 2 * LANES) // LANES * LANES
    blocks = (width + LANES - 1) // LANES
    plane = BEFORE + blocks * LANES + 3 * LANES
    block_scores = (height + TOUCHED + 2) * ROW
    return Rows(
        height,
        width,
        stride,
        plane,
        block_scores,
        np.empty(DIRECTIONS * STEP, np.float32),
        np.zeros(CELL * PIXELS + LANES, np.int16),
        np.empty(CELL * PIXELS + LANES, np.float32),
        np.zeros(2 * DIRECTIONS * stride + LANES, np.float32),
        np.zeros(2 * DIRECTIONS * stride + LANES, np.float32),
        np.zeros(2 * DIRECTIONS * stride + LANES, np.float32),
        np.zeros(2 * stride + LANES, np.float32),
        np.ones(2 * stride + LANES, np.float32),
        np.ones(2 * stride + LANES, np.float32),
        np.zeros(KEPT * PLANES * plane + LANES, np.float32),
        np.zeros(2 * PLANES * plane + LANES, np.int32),
        np.zeros(blocks * block_scores, np.int32),
    )


@kernel
def _limits(thresholds: NDArray[np.float64], fixed: Fixed) -> Integers:
    """Return the scores in integers that no window which reaches a threshold can be below or at."""
    limits = np.floor((thresholds - fixed.slack) * SCORE) - 1
    near: Integers = np.maximum(np.minimum(limits, 2.0**31 - 1), -(2.0**31)).astype(np.int32)
    return near


@kernel
def _vote(picture: Picture, band: int, rows: Rows) -> None:
    """Let a band of pixels vote."""
    row = DIRECTIONS * rows.stride
    upper, lower = LANES + band % 2 * row, LANES + (band + 1) % 2 * row
    end_x, end_y = visible(picture.width), visible(picture.height)
    for column in range(0, cells_of(picture.width) + 1, PATCHES):
        x, y = column * CELL - CELL // 2, band * CELL - CELL // 2
        vote(picture, end_x, end_y, x, y, rows.votes, rows.direction, rows.length)
        spread(rows.votes, column, rows.left, rows.right, upper, lower, rows.stride)
    this, last = band % 2 * rows.stride, (band + 1) % 2 * rows.stride
    join_votes(rows.left, rows.right, upper, rows.stride, rows.cells, band % 2 * row, rows.energy, this)
    measure_blocks(rows.energy, last, this, rows.stride, rows.caps, rows.scales, this)


@kernel
def _describe(band: int, y: int, rows: Rows) -> None:
    """Make row y of the features, of the cells of the band before and the blocks above and below them."""
    center = (band + 1) % 2 * DIRECTIONS * rows.stride
    above, below = (band + 1) % 2 * rows.stride, band % 2 * rows.stride
    to = y % KEPT * PLANES * rows.plane
    write_features(
        rows.cells,
        center,
        rows.stride,
        rows.caps,
        rows.scales,
        above,
        below,
        rows.width,
        rows.features,
        to + BEFORE,
        rows.plane,
    )
    pair_up(rows.features, to, rows.pairs, y % 2 * PLANES * rows.plane, rows.plane)


@kernel
def _filter(first: int, last: int, fixed: Fixed, rows: Rows) -> None:
    """Add the rows `first` and `last` of the features to the scores; a single last row has zeros below it."""
    if first == last:
        rows.pairs[PLANES * rows.plane :] = 0
    for block in range((rows.width + LANES - 1) // LANES):
        # a block's first row of scores is of the windows whose last row of features is row 0: five rows up
        at = block * rows.block_scores + first * ROW
        add_pair(rows.pairs, block * LANES, rows.plane, fixed, rows.scores, at)


@kernel
def _find(
    first: int,
    last: int,
    fixed: Fixed,
    thresholds: NDArray[np.float64],
    limits: Integers,
    rows: Rows,
    windows: Windows,
) -> None:
    """Append the windows that the rows `first` and `last` of the features have completed."""
    end = rows.height if last == rows.height - 1 else first - 3
    for block in range((rows.width + LANES - 1) // LANES):
        for t in range(max(first - 5, 0), end):
            for d in range(DETECTORS):
                at = block * rows.block_scores + (t + 5) * ROW + d * LANES
                if any_set(load(rows.scores, at, LANES) > splat(limits[d], LANES)):
                    _try(block * LANES, t, d, at, fixed, thresholds[d], limits[d], rows, windows)


@kernel
def _try(
    x: int,
    t: int,
    d: int,
    at: int,
    fixed: Fixed,
    threshold: float,
    limit: int,
    rows: Rows,
    windows: Windows,
) -> None:
    """Append those of LANES neighbouring windows whose score in float reaches the threshold."""
    for i in range(min(LANES, rows.width - x)):
        if rows.scores[at + i] > limit:
            score = exact_score(rows.features, rows.plane, KEPT, rows.height, t, x + i, fixed.dense, d)
            if score >= threshold:
                windows.append((d, t, x + i, np.float64(score)))
