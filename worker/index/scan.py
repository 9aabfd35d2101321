"""One pass over a block of faces: sketches first, then the few faces that these do not exclude."""

import numpy as np
from numba import njit
from numpy.typing import NDArray

from worker.index.lanes import LANES, prefetch, rough, squared, survivors, unpack
from worker.index.sketch import DIMENSIONS, QUADS, VECTORS

ROWS = 1 << 12  # faces of a block
MOST_QUERIES = 64  # of one pass
QUERY_BITS = 12  # a code is query << 12 | row
AHEAD = 16  # faces asked for before they are read


@njit(cache=True, nogil=True)
def scan(  # noqa: PLR0917 - Numba takes positional arguments alone
    count: int,
    sketches: NDArray[np.uint8],
    terms: NDArray[np.int16],
    faces: NDArray[np.float32],
    sketched: NDArray[np.int8],
    least: NDArray[np.int32],
    queries: NDArray[np.float32],
    limit: np.float32,
    tolerance: float,
    codes: NDArray[np.int32],
) -> tuple[NDArray[np.int32], NDArray[np.float64]]:
    """Find the faces of a block at a distance of at most `tolerance` from each query.

    All arrays are flat and C-contiguous. `codes` is scratch of `ROWS * queries + LANES + AHEAD`.
    Returns query << 12 | row, and distances.

    `limit` excludes by a float32 sum of squares. Each of its 128 terms has two roundings or three, and
    the sum 127 more at most, so it is within 131 * 2^-24 < 1e-5 of the true one, relatively.
    """
    levels = np.empty(QUADS * LANES * 4, np.uint8)
    left = 0
    for row in range(0, count, LANES):
        unpack(sketches, row * VECTORS * 4, levels)
        for query in range(len(least)):
            code = np.int32(query << QUERY_BITS | row)
            left += survivors(
                levels, terms, row, sketched, query * QUADS * 4, least[query], code, codes, left
            )
    codes[left : left + AHEAD] = 0
    close = 0
    for i in range(left):
        prefetch(faces, (codes[i + AHEAD] & ROWS - 1) * DIMENSIONS)
        code = codes[i]
        codes[close] = code
        close += (
            rough(faces, (code & ROWS - 1) * DIMENSIONS, queries, (code >> QUERY_BITS) * DIMENSIONS) <= limit
        )
    found = np.empty(close, np.int32)
    distances = np.empty(close)
    hits = 0
    for code in codes[:close]:
        row, query = code & ROWS - 1, code >> QUERY_BITS
        distance = np.sqrt(squared(faces, row * DIMENSIONS, queries, query * DIMENSIONS))
        found[hits] = code
        distances[hits] = distance
        hits += distance <= tolerance and row < count
    return found[:hits], distances[:hits]
