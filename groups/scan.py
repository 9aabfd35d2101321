"""One pass over small sketches of all groups excludes those that cannot be near, without reading the rest.

A sketch is a projection of the centroid onto `AXES` orthonormal axes, in whole steps of a fixed size, clipped to
the range of int8. Projecting and clipping never make a distance longer; rounding either side changes it by at most
`step * sqrt(AXES) / 2`. So if the distance between two sketches exceeds the reach by more than twice that, the
centroids are out of reach.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

LANES = 64  # groups side by side, axis by axis, so that the loop over them is vectorized
AXES = 48  # with these, one group in a thousand is read further; with 32, one in fifty
FREE = 2**29  # the term of a free row: beyond any reach


@njit(cache=True, nogil=True)
def scan(
    sketches: NDArray[np.int8],
    terms: NDArray[np.int32],
    query: NDArray[np.int16],
    reach: np.int32,
    rows: NDArray[np.int64],
) -> int:
    """List the groups that their sketches do not exclude.

    Args:
        sketches: of the groups, (blocks, AXES, LANES).
        terms: spreads in squared steps, rounded down, (blocks, LANES); `FREE` for free rows.
        query: sketch of the query, (AXES,).
        reach: largest sum of squared distance and term that is not excluded, in squared steps.
        rows: output, with room for every row.

    Returns:
        Number of rows found.
    """
    found = 0
    sums = np.empty(LANES, np.int32)
    for block in range(len(sketches)):
        for lane in range(LANES):
            sums[lane] = terms[block, lane]
        for axis in range(AXES):
            value = query[axis]
            for lane in range(LANES):
                apart = np.int16(np.int16(sketches[block, axis, lane]) - value)
                sums[lane] = np.int32(sums[lane] + np.int32(apart * apart))
        nearest = sums[0]
        for lane in range(1, LANES):
            nearest = min(nearest, sums[lane])
        if nearest <= reach:
            for lane in range(LANES):
                if sums[lane] <= reach:
                    rows[found] = block * LANES + lane
                    found += 1
    return found
