"""One level of the pyramid: pixels, histograms, features and scores, band by band.

A band is a row of patches, eight rows of pixels. Its pixels are made from the level before, its patches vote, a
row of cells becomes complete, then a row of features, and every second row of features goes through the filters.
So each intermediate result is used while it is in the cache, and only a few rows of it exist.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from worker.engine.hog.features import join_votes, measure_blocks, write_features
from worker.engine.hog.filters import LANES, ROW, TOUCHED, add_pair, exact_score, pair_up
from worker.engine.hog.fixed import SCORE
from worker.engine.hog.histogram import (
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
from worker.engine.hog.lanes import any_set, load, splat
from worker.engine.hog.resize import origins, resize_row
from worker.engine.hog.weights import DETECTORS, PLANES

BEFORE = 4  # columns of zeros before the features: a window reaches so far over the border
KEPT = 12  # rows of features: the ten of a window, and another when two arrive at once


@njit(nogil=True, cache=True)  # type: ignore[untyped-decorator]  # numba has no types
def scan(source, picture, fixed, thresholds):  # type: ignore[no-untyped-def]  # compiled
    """Return the windows of one level whose score reaches its sub-detector's threshold.

    source, picture: the level before, and this one, whose pixels are made here; or twice the same picture.
    Returns (windows, 3) int64: sub-detector, row, column of the window's fifth cell; and the scores, float32.
    """
    tall, wide = cells_of(picture.height), cells_of(picture.width)
    height, width = tall - 2, wide - 2
    is_made = source.data.ctypes.data == picture.data.ctypes.data
    origin = origins(source, picture)
    made = picture.height if is_made else 0
    found_at = np.empty((64, 3), np.int64)
    found_score = np.empty(64, np.float32)
    count = 0
    if height < 1 or width < 1:
        while made < picture.height:
            resize_row(source, origin, picture, made)
            made += 1
        return found_at[:0], found_score[:0]

    limits = np.floor((thresholds - fixed.slack) * SCORE)
    limits = np.maximum(np.minimum(limits, 2.0**31 - 1), -(2.0**31)).astype(np.int32)
    # numbers of cells run to wide + 1; a block of patches, its right cells and a vector may go past them
    stride = (wide + 2 + 2 * PATCHES + 2 * LANES) // LANES * LANES
    row_size = DIRECTIONS * stride
    left = np.zeros(2 * row_size + LANES, np.float32)
    right = np.zeros(2 * row_size + LANES, np.float32)
    cells = np.zeros(2 * row_size, np.float32)
    energy = np.zeros(2 * stride + LANES, np.float32)
    caps = np.ones(2 * stride + LANES, np.float32)
    scales = np.ones(2 * stride + LANES, np.float32)
    blocks = (width + LANES - 1) // LANES
    plane = BEFORE + blocks * LANES + 3 * LANES
    features = np.zeros(KEPT * PLANES * plane + LANES, np.float32)
    pairs = np.zeros(2 * PLANES * plane + LANES, np.int32)
    block_scores = (height + TOUCHED + 2) * ROW
    scores = np.zeros(blocks * block_scores, np.int32)
    votes = np.empty(DIRECTIONS * STEP, np.float32)
    direction = np.zeros(CELL * PIXELS + 16, np.int32)
    length = np.empty(CELL * PIXELS + 16, np.float32)
    end_x, end_y = visible(picture.width), visible(picture.height)

    for band in range(tall + 1):
        needed = min(CELL * band + CELL // 2 + 1, picture.height)
        while made < needed:
            resize_row(source, origin, picture, made)
            made += 1
        upper, lower = LANES + band % 2 * row_size, LANES + (band + 1) % 2 * row_size
        for column in range(0, wide + 1, PATCHES):
            x, y0 = column * CELL - CELL // 2, band * CELL - CELL // 2
            vote(picture, end_x, end_y, x, y0, votes, direction, length)
            spread(votes, column, left, right, upper, lower, stride)
        this, last = band % 2 * stride, (band + 1) % 2 * stride
        cells_row = band % 2 * row_size
        join_votes(left, right, upper, stride, cells, cells_row, energy, this)
        measure_blocks(energy, last, this, stride, caps, scales, this)
        y = band - 3
        if y < 0:
            continue
        to = y % KEPT * PLANES * plane
        center = (band - 1) % 2 * row_size
        write_features(cells, center, stride, caps, scales, last, this, width, features, to + BEFORE, plane)
        pair_up(features, to, pairs, (y % 2) * PLANES * plane, plane)
        if y % 2 == 0 and y == height - 1:
            pairs[PLANES * plane :] = 0
        if y % 2 == 1 or y == height - 1:
            first = y - y % 2
            for block in range(blocks):
                at = block * block_scores + first * ROW
                add_pair(pairs, block * LANES, plane, fixed, scores, at)
                done = height if y == height - 1 else first - 3
                for t in range(max(first - 5, 0), done):
                    for d in range(DETECTORS):
                        at = block * block_scores + (t + 5) * ROW + d * LANES
                        if any_set(load(scores, at, LANES) > splat(limits[d], LANES)):
                            for i in range(min(LANES, width - block * LANES)):
                                if scores[at + i] > limits[d]:
                                    score = exact_score(features, plane, KEPT, height, t, block * LANES + i, fixed.dense, d)
                                    if score >= thresholds[d]:
                                        if count == len(found_score):
                                            found_score = np.concatenate((found_score, np.empty_like(found_score)))
                                            found_at = np.concatenate((found_at, np.empty_like(found_at)))
                                        found_at[count, 0] = d
                                        found_at[count, 1] = t
                                        found_at[count, 2] = block * LANES + i
                                        found_score[count] = score
                                        count += 1
    while made < picture.height:
        resize_row(source, origin, picture, made)
        made += 1
    return found_at[:count], found_score[:count]
