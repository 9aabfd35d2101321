"""From histograms of cells to 31 planes of features, as dlib 20.0.1's `extract_fhog_features` makes them.

Each cell lies in four blocks of 2x2 cells. By the energy of a block its histogram is scaled and capped; planes
0..17 add up the four results for each direction, 18..26 for each direction and its opposite together, and
27..30 add up the directions for each block (Felzenszwalb and others, PAMI 32(9), 2010).

A row of cells is DIRECTIONS * stride float32, one direction after the other; sixteen cells are one vector. The
features lie the other way round: the DEPTH numbers of a cell together.
"""

# ruff: noqa: PLR0917 -- kernels take arrays and where in them; a call of theirs has no keywords

from __future__ import annotations

import numpy as np

from worker.engine.detection.hog.histogram import DIRECTIONS
from worker.engine.detection.hog.spectra import DEPTH
from worker.simd.arithmetic import fma, minimum, sqrt
from worker.simd.kernel import Floats, Vector, kernel
from worker.simd.lanes import load, splat, store
from worker.simd.shuffles import transpose

HALF = DIRECTIONS // 2
LANES = 16
TEXTURE = np.float32(2 * 0.2357)


@kernel
def join_votes(
    left: Floats, right: Floats, row: int, stride: int, cells: Floats, to: int, energy: Floats, energy_to: int
) -> None:
    """Make a row of cells of a row of votes, and write each cell's energy.

    Cell x gets the left votes of patch x and the right votes of patch x - 1; cell 0 is of the border.
    """
    for x in range(0, stride, LANES):
        total = splat(np.float32(0), LANES)
        for k in range(HALF):
            at, opposite = k * stride + x, (k + HALF) * stride + x
            forward = load(left, row + at, LANES) + load(right, row + at - 1, LANES)
            backward = load(left, row + opposite, LANES) + load(right, row + opposite - 1, LANES)
            store(cells, to + at, forward)
            store(cells, to + opposite, backward)
            both = forward + backward
            total = fma(both, both, total)
        store(energy, energy_to + x, total)


@kernel
def measure_blocks(
    energy: Floats, above: int, below: int, stride: int, caps: Floats, scales: Floats, to: int
) -> None:
    """Write each block's cap and scale; block x is made of the cells x and x + 1 of two rows."""
    for x in range(0, stride - LANES, LANES):
        total = load(energy, above + x, LANES) + load(energy, above + x + 1, LANES)
        total += load(energy, below + x, LANES) + load(energy, below + x + 1, LANES)
        cap = splat(np.float32(0.2), LANES) * sqrt(total + splat(np.float32(0.0001), LANES))
        store(caps, to + x, cap)
        store(scales, to + x, splat(np.float32(0.1), LANES) / cap)


@kernel
def write_features(
    cells: Floats,
    row: int,
    stride: int,
    caps: Floats,
    scales: Floats,
    above: int,
    below: int,
    width: int,
    planes: Floats,
    features: Floats,
    to: int,
) -> None:
    """Write the features of cells 2 .. width + 1 of a row, and of some more after them.

    cells, row, stride: the histograms, and where the row begins. caps, scales, above, below: of the blocks, and
    where the rows of blocks above and below begin. planes: room for DEPTH * LANES numbers, the last LANES zeros.
    features, to: plane p of cell x goes to features[to + x * DEPTH + p].
    """
    for x in range(0, width, LANES):
        cap = (
            load(caps, below + x + 2, LANES),
            load(caps, above + x + 2, LANES),
            load(caps, below + x + 1, LANES),
            load(caps, above + x + 1, LANES),
        )
        scale = (
            load(scales, below + x + 2, LANES),
            load(scales, above + x + 2, LANES),
            load(scales, below + x + 1, LANES),
            load(scales, above + x + 1, LANES),
        )
        texture0 = texture1 = texture2 = texture3 = splat(np.float32(0), LANES)
        at = row + x + 2
        for k in range(HALF):
            forward = load(cells, at + k * stride, LANES)
            backward = load(cells, at + (k + HALF) * stride, LANES)
            capped = _cap(forward, cap)
            opposite = _cap(backward, cap)
            store(planes, k * LANES, _scale(capped, scale))
            store(planes, (k + HALF) * LANES, _scale(opposite, scale))
            store(planes, (k + DIRECTIONS) * LANES, _scale(_cap(forward + backward, cap), scale))
            texture0 += capped[0] + opposite[0]
            texture1 += capped[1] + opposite[1]
            texture2 += capped[2] + opposite[2]
            texture3 += capped[3] + opposite[3]
        factor = splat(TEXTURE, LANES)
        store(planes, 27 * LANES, texture0 * scale[0] * factor)
        store(planes, 28 * LANES, texture1 * scale[1] * factor)
        store(planes, 29 * LANES, texture2 * scale[2] * factor)
        store(planes, 30 * LANES, texture3 * scale[3] * factor)
        for plane in range(0, DEPTH, 8):
            for cell in range(0, LANES, 8):
                source = plane * LANES + cell
                transpose(planes, source, LANES, features, to + (x + cell) * DEPTH + plane, DEPTH)


@kernel
def _cap(h: Vector, cap: tuple[Vector, ...]) -> tuple[Vector, Vector, Vector, Vector]:
    return minimum(h, cap[0]), minimum(h, cap[1]), minimum(h, cap[2]), minimum(h, cap[3])


@kernel
def _scale(capped: tuple[Vector, ...], scale: tuple[Vector, ...]) -> Vector:
    total = fma(capped[1], scale[1], capped[0] * scale[0])
    return fma(capped[3], scale[3], fma(capped[2], scale[2], total))
