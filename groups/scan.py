"""One pass over the heads of all groups: those that cannot be near are left out without being read further."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

LANES = (
    64  # groups side by side, dimension after dimension, so that a loop over them becomes vector instructions
)
HEAD = 48  # dimensions of a head: of 64, one in a thousand groups is read further, of 32, one in fifty


@njit(cache=True, nogil=True, fastmath=True)
def scan(
    heads: NDArray[np.float32],
    spreads: NDArray[np.float32],
    query: NDArray[np.float32],
    reach: np.float32,
    rows: NDArray[np.int64],
) -> int:
    """List the groups whose head and spread alone do not put them out of reach.

    Args:
        heads: projections of the centroids, (blocks, HEAD, LANES).
        spreads: mean squared deviations, (blocks, LANES); infinite where there is no group.
        query: the head looked for, (HEAD,).
        reach: the largest squared distance wanted, less the query's own spread.
        rows: where the numbers of the groups found are written; as long as there are groups.

    Returns:
        How many were found.
    """
    found = 0
    bounds = np.empty(LANES, np.float32)
    for block in range(len(heads)):
        for lane in range(LANES):
            bounds[lane] = spreads[block, lane]
        for dimension in range(HEAD):
            value = query[dimension]
            for lane in range(LANES):
                apart = heads[block, dimension, lane] - value
                bounds[lane] += apart * apart
        nearest = bounds[0]
        for lane in range(1, LANES):
            nearest = min(nearest, bounds[lane])
        if nearest <= reach:
            for lane in range(LANES):
                if bounds[lane] <= reach:
                    rows[found] = block * LANES + lane
                    found += 1
    return found
