"""One pass over the heads of all groups excludes those that cannot be near, without reading the rest."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

LANES = 64  # groups side by side, dimension by dimension, so that the loop over them is vectorized
HEAD = 48  # dimensions of a head; with 48, one group in a thousand is read further, with 32 one in fifty


@njit(cache=True, nogil=True, fastmath=True)
def scan(
    heads: NDArray[np.float32],
    spreads: NDArray[np.float32],
    query: NDArray[np.float32],
    reach: np.float32,
    rows: NDArray[np.int64],
) -> int:
    """List the groups that head and spread alone do not exclude.

    Args:
        heads: projections of the centroids, (blocks, HEAD, LANES).
        spreads: mean squared deviations, (blocks, LANES); infinite for free rows.
        query: head of the query, (HEAD,).
        reach: largest squared distance, less the query's own spread.
        rows: output, with room for every row.

    Returns:
        Number of rows found.
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
