"""One level of the pyramid: pixels, histograms, features and scores, band by band.

A band is a row of patches, eight rows of pixels. Its pixels are made from the level before, its patches vote, a
row of cells becomes complete, then a row of features; when these are enough for a row of tiles, the windows in it
are scored. So each intermediate result is used while it is in the cache, and only a few rows of it exist.
"""

# ruff: noqa: PLR0917 -- kernels take arrays and where in them; a call of theirs has no keywords

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from worker.engine.detection.hog.features import LANES, join_votes, measure_blocks, write_features
from worker.engine.detection.hog.filters import (
    POSES,
    TILES,
    VALID,
    Tiles,
    exact_score,
    multiply_tiles,
    score_row,
    turn_back,
)
from worker.engine.detection.hog.fourier import SIDE
from worker.engine.detection.hog.gradients import PIECE
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
from worker.engine.detection.hog.resize import origins, resize_rows
from worker.engine.detection.hog.spectra import DEPTH, Spectra
from worker.engine.detection.hog.weights import DETECTORS
from worker.simd.arithmetic import any_set
from worker.simd.kernel import Floats, Shorts, kernel
from worker.simd.lanes import load

BEFORE = 4  # rows and columns of zeros before the features: a window reaches so far over the border

Windows: TypeAlias = list[tuple[int, int, int, float]]  # sub-detector, row and column in features, score


class Rows(NamedTuple):
    """The few rows of intermediate results that exist at once, for one level."""

    height: int  # of the features
    width: int
    stride: int  # cells in a row, with room
    row: int  # numbers in a row of features, with zeros before and after
    votes: Floats
    direction: Shorts
    length: Floats
    left: Floats  # two rows of votes for the cells to the left, two for those to the right
    right: Floats
    cells: Floats  # two rows of histograms, and of what follows from them
    energy: Floats
    caps: Floats
    scales: Floats
    planes: Floats  # the features of LANES cells
    features: Floats  # a ring of SIDE rows


def limits_of(thresholds: NDArray[np.float64], spectra: Spectra) -> Floats:
    """Return (POSES,) the scores by transforms that no window which reaches a threshold can be below or at."""
    limits = np.full(POSES, np.inf, np.float32)
    limits[:DETECTORS] = thresholds - spectra.slack
    return limits


@kernel
def scan(
    source: Picture,
    picture: Picture,
    spectra: Spectra,
    thresholds: NDArray[np.float64],
    limits: Floats,
    room: Tiles,
) -> Windows:
    """Return the windows of one level whose score reaches its sub-detector's threshold.

    source, picture: the level before, and this one, whose pixels are made here; or twice the same picture.
    limits: of `limits_of` these thresholds. room: of `tiles`, for all levels.
    A window's row and column are those of its fifth cell.
    """
    windows = [(0, 0, 0, 0.0) for _ in range(0)]
    origin = origins(source, picture)
    made = picture.height if source.data.ctypes.data == picture.data.ctypes.data else 0
    tall, wide = cells_of(picture.height), cells_of(picture.width)
    if tall > 2 and wide > 2:
        rows = _rows(tall - 2, wide - 2)
        _clear(0, BEFORE, rows)
        first = 0  # the row of windows that the next tiles begin with
        for band in range(tall + 1):
            needed = min(CELL * band + CELL // 2 + 1, picture.height)
            resize_rows(source, origin, picture, made, needed)
            made = max(made, needed)
            _vote(picture, band, rows)
            y = band - 3  # the row of features that this band completes
            if y >= 0:
                _describe(band, y, rows)
            while first < rows.height and (y + BEFORE >= first + SIDE - 1 or y == rows.height - 1):
                _clear(y + BEFORE + 1, first + SIDE, rows)
                _find(first, spectra, thresholds, limits, rows, room, windows)
                first += VALID
    resize_rows(source, origin, picture, made, picture.height)
    return windows


@kernel
def _rows(height: int, width: int) -> Rows:
    """Return rows for features of this size; zero where a first reader comes before a writer."""
    # cells are numbered to width + 3; a block of patches, the cells right of it and a vector go past that
    stride = (width + 4 + 2 * PATCHES + 2 * LANES) // LANES * LANES
    across = (width + VALID - 1) // VALID
    row = max(BEFORE + (width + LANES - 1) // LANES * LANES, (across - 1) * VALID + SIDE) * DEPTH + LANES
    return Rows(
        height,
        width,
        stride,
        row,
        np.empty(DIRECTIONS * STEP, np.float32),
        np.zeros(CELL * PIXELS + PIECE, np.int16),
        np.empty(CELL * PIXELS + PIECE, np.float32),
        np.zeros(2 * DIRECTIONS * stride + LANES, np.float32),
        np.zeros(2 * DIRECTIONS * stride + LANES, np.float32),
        np.zeros(2 * DIRECTIONS * stride + LANES, np.float32),
        np.zeros(2 * stride + LANES, np.float32),
        np.ones(2 * stride + LANES, np.float32),
        np.ones(2 * stride + LANES, np.float32),
        np.zeros(DEPTH * LANES, np.float32),
        np.empty(SIDE * row, np.float32),
    )


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
    row = (y + BEFORE) % SIDE * rows.row
    rows.features[row : row + BEFORE * DEPTH] = 0
    write_features(
        rows.cells,
        center,
        rows.stride,
        rows.caps,
        rows.scales,
        above,
        below,
        rows.width,
        rows.planes,
        rows.features,
        row + BEFORE * DEPTH,
    )
    rows.features[row + (BEFORE + rows.width) * DEPTH : row + rows.row] = 0


@kernel
def _clear(begin: int, end: int, rows: Rows) -> None:
    """Make rows of the ring zero: those before and after the features."""
    for y in range(begin, end):
        at = y % SIDE * rows.row
        rows.features[at : at + rows.row] = 0


@kernel
def _find(
    first: int,
    spectra: Spectra,
    thresholds: NDArray[np.float64],
    limits: Floats,
    rows: Rows,
    room: Tiles,
    windows: Windows,
) -> None:
    """Append the windows of a row of tiles whose score reaches its sub-detector's threshold."""
    for begin in range(0, rows.width, TILES * VALID):
        count = min(TILES, (rows.width - begin + VALID - 1) // VALID)
        multiply_tiles(rows.features, begin * DEPTH, rows.row, count, spectra, room)
        for tile in range(count):
            turn_back(room, tile)
            x = begin + tile * VALID
            for t in range(first, min(first + VALID, rows.height)):
                score_row(room, t % SIDE)
                for i in range(min(VALID, rows.width - x)):
                    if any_set(load(room.scores, i * POSES, POSES) > load(limits, 0, POSES)):
                        _try(t, x + i, room.scores[i * POSES :], spectra, thresholds, limits, rows, windows)


@kernel
def _try(
    t: int,
    x: int,
    scores: Floats,
    spectra: Spectra,
    thresholds: NDArray[np.float64],
    limits: Floats,
    rows: Rows,
    windows: Windows,
) -> None:
    """Append a window for each sub-detector that it reaches the threshold of."""
    for d in range(DETECTORS):
        if scores[d] > limits[d]:
            score = exact_score(rows.features, t, x, rows.row, spectra.dense, d)
            if score >= thresholds[d]:
                windows.append((d, t, x, np.float64(score)))
