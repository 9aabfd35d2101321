"""How faces and queries lie in memory for the pass over them. Numba compiles these numbers into its kernels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 128
QUADS = 16  # of a sketch: the dot product takes four dimensions at a time
LANES = 16  # faces side by side
COARSE = QUADS * LANES * 2  # bytes of 16 coarse sketches: half a byte a dimension
FINE = 12  # bytes of a fine sketch, one line of `Asked.parts` each
RECORD = FINE + 2  # with its term

COARSE_UNIT = 4  # what a face's terms count in
FINE_UNIT = 16

ROWS_BITS = 12
ROWS = 1 << ROWS_BITS  # faces of a block
STRIP_BITS = 9  # at least: faces whose sketches and numbers stay in the cache for all queries
MAX_QUERIES = 64  # of one pass
AHEAD = 16  # faces asked for before they are read
TOGETHER = 4  # queries that share the loads of faces' levels


class Asked(NamedTuple):
    """Query faces as the pass needs them, flat."""

    faces: NDArray[np.float32]  # (queries * 128,)
    levels: NDArray[np.int8]  # (queries * 64,)
    parts: NDArray[
        np.int16
    ]  # (queries * FINE * 256,): what each byte of a fine sketch adds to the dot product
    coarse: NDArray[np.int32]  # (queries,): terms for coarse sketches
    fine: NDArray[np.int64]  # (queries,): terms for fine sketches


class Limits(NamedTuple):
    """What is within the tolerance, by a float32 sum of squares: none beyond `most`, all below `surely`."""

    most: np.float32
    surely: np.float32
    tolerance: float


class Blocks(NamedTuple):
    """Where the blocks lie in memory: a count and three addresses each. Their arrays must outlive the pass."""

    counts: NDArray[np.int64]
    terms: NDArray[np.int64]  # of (ROWS,) int16
    coarse: NDArray[np.int64]  # of (ROWS / 16 * COARSE,) uint8
    fine: NDArray[np.int64]  # of (ROWS * RECORD,) uint8
    faces: NDArray[np.int64]  # of (ROWS * 128,) float32
