"""One pass over small sketches of all groups excludes those that cannot be near, without reading the rest.

A sketch is a projection of the centroid onto `AXES` orthonormal axes, in whole steps of a fixed size, clipped to
the range of int8. Projecting and clipping never make a distance longer; rounding either side changes it by at most
`step * sqrt(AXES) / 2`. So if the distance between two sketches exceeds the reach by more than twice that, the
centroids are out of reach.

Squared distances are summed modulo 2^16, which takes a third of the time of 32 bits. The sum of a group within
reach is below that, so it is right; a group beyond may seem near, and is read for nothing.

Indices are unsigned because Numba's code for negative ones keeps LLVM from vectorizing.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

DIMENSIONS = 128
LANES = 64  # groups side by side, axis by axis, so that the loop over them is vectorized
AXES = 32  # with these, one group in 300 is read further; with 24, one in 60; 40 cost more than they save


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def project(
    axes: NDArray[np.float32],
    middle: NDArray[np.float32],
    step: float,
    largest: int,
    vector: NDArray[np.float32],
) -> NDArray[np.int16]:
    """Sketch a vector, (DIMENSIONS,), along axes, (AXES, DIMENSIONS), from a middle, (AXES,); gives (AXES,)."""
    sketch = np.empty(AXES, np.int16)
    for axis in range(AXES):
        place = np.float32(0)
        for dimension in range(DIMENSIONS):
            place += axes[axis, dimension] * vector[dimension]
        steps = np.rint((place - middle[axis]) / step)
        sketch[axis] = np.int16(max(min(steps, largest), -largest))
    return sketch


@njit(cache=True, nogil=True)
def scan(
    sketches: NDArray[np.int8],
    terms: NDArray[np.uint16],
    query: NDArray[np.uint16],
    limit: np.uint16,
    rows: NDArray[np.int64],
) -> int:
    """List the groups that their sketches do not exclude.

    Args:
        sketches: of the groups, (blocks * AXES * LANES,): lane by lane, axis by axis, block by block.
        terms: spreads in squared steps, rounded down, (blocks * LANES,).
        query: sketch of the query modulo 2^16, (AXES,).
        limit: largest sum of squared distance and term that is not excluded, in squared steps.
        rows: output, with room for every row.

    Returns:
        Number of rows found.
    """
    found = 0
    sums = np.empty(LANES, np.uint16)
    for block in range(len(terms) // LANES):
        first = np.uint64(block * LANES)
        start = np.uint64(block * AXES * LANES)
        for lane in range(np.uint64(LANES)):
            total = terms[first + lane]
            for axis in range(np.uint64(AXES)):
                sketch = np.uint16(np.int16(sketches[start + axis * np.uint64(LANES) + lane]))
                apart = np.uint16(sketch - query[axis])
                total = np.uint16(total + np.uint16(apart * apart))
            sums[lane] = total
        near = np.uint16(0)
        for lane in range(np.uint64(LANES)):
            near |= np.uint16(sums[lane] <= limit)
        if near:
            for lane in range(LANES):
                rows[found] = block * LANES + lane
                found += sums[lane] <= limit
    return found


@njit(cache=True, nogil=True, fastmath={"reassoc", "contract"})
def measure(  # noqa: PLR0917 - Numba takes positional arguments alone
    centroids: NDArray[np.float32],
    spreads: NDArray[np.float64],
    query: NDArray[np.float32],
    spread: float,
    reach: float,
    rows: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Find those of the rows within reach.

    Args:
        centroids: of the groups, (n, DIMENSIONS).
        spreads: of the groups, (n,).
        query: centroid of the query, (DIMENSIONS,).
        spread: of the query.
        reach: largest distance.
        rows: those asked about.

    Returns:
        Their rows and distances, summed in float64.
    """
    found = np.empty(len(rows), np.int64)
    distances = np.empty(len(rows), np.float64)
    kept = 0
    for row in rows:
        total = 0.0
        for axis in range(DIMENSIONS):
            apart = np.float64(centroids[row, axis]) - np.float64(query[axis])
            total += apart * apart
        found[kept], distances[kept] = row, np.sqrt(total + spreads[row] + spread)
        kept += distances[kept] <= reach
    return found[:kept], distances[:kept]
