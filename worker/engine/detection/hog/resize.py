"""dlib's bilinear resize, pixel for pixel: `resize_image(in, out, interpolate_bilinear())` of dlib 20.0.

Every step of the pyramid is made from the one before, so one pixel that differs would spread. dlib walks along
a row four columns at a time in float32, whose rounding errors accumulate and show in the result; near the right
border it goes on column by column, in double. Both are followed to the bit. Colour is truncated; grey is
rounded in the first part and truncated in the second.
"""

# ruff: noqa: PLR0917 -- kernels take arrays and where in them; a call of theirs has no keywords

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from worker.engine.detection.hog.picture import ROOM_BEFORE, Picture
from worker.simd.arithmetic import select, to_f32, to_i32, to_u8
from worker.simd.kernel import Bytes, Vector, kernel
from worker.simd.lanes import load, splat, store
from worker.simd.shuffles import PICK, pick

BLOCK = 8  # columns that are made at once
SPAN = 16  # input columns that a block may come from: an input is at most 1.25 times as wide


class Origins(NamedTuple):
    """Where the pixels of a resized picture come from."""

    rows: NDArray[np.float64]  # (height,): the place of an output row between the input rows
    scale: float  # input columns per output column
    walked: int  # columns of the first part
    base: NDArray[np.int32]  # (blocks,): the first input column of a block
    inputs: NDArray[np.int32]  # (columns,): the left input, from its block's base on, as `pick` takes it
    left_share: NDArray[np.float32]  # (columns,): how much of it
    right_share: NDArray[np.float32]


@kernel
def origins(source: Picture, target: Picture) -> Origins:
    """Return where each pixel of picture `target` lies in picture `source`."""
    rows = np.empty(target.height, np.float64)
    row_scale = (source.height - 1) / max(target.height - 1, 1)
    place_y = -row_scale
    for row in range(target.height):
        place_y += row_scale
        rows[row] = place_y

    scale = (source.width - 1) / max(target.width - 1, 1)
    blocks = target.width // BLOCK + 2
    base = np.zeros(blocks, np.int32)
    inputs = np.full(blocks * BLOCK, PICK)
    left_share = np.zeros(blocks * BLOCK, np.float32)
    right_share = np.zeros(blocks * BLOCK, np.float32)
    place = np.empty(4, np.float32)
    for lane in range(4):
        place[lane] = np.float32(-4 * scale + lane * scale)
    step = np.float32(4 * scale)
    walked = 0
    while True:
        for lane in range(4):
            place[lane] += step
        if int(place[3]) + 1 >= source.width:
            break
        for lane in range(4):
            column, left = walked + lane, int(place[lane])
            block, within = divmod(column, BLOCK)
            if within == 0:
                base[block] = left
            inputs[column] += left - base[block]
            right_share[column] = place[lane] - np.float32(left)
            left_share[column] = np.float32(1) - right_share[column]
        walked += 4
    return Origins(rows, scale, walked, base, inputs, left_share, right_share)


@kernel
def resize_rows(source: Picture, origin: Origins, target: Picture, begin: int, end: int) -> None:
    """Make the rows `begin` to `end` of `target`, each from the two rows of `source` that it lies between."""
    for row in range(begin, end):
        place = origin.rows[row]
        top = int(place)
        bottom = min(top + 1, source.height - 1)
        share = place - top
        at = row * target.stride + ROOM_BEFORE
        upper = top * source.stride + ROOM_BEFORE
        lower = bottom * source.stride + ROOM_BEFORE
        shares: tuple[Any, Any] = np.float32(share), np.float32(1 - share)
        if source.channels == 1:
            _walk_grey(source, origin, upper, lower, *shares, target, at)
        else:
            _walk_colour(source, origin, upper, lower, *shares, target, at)
        for k in range(source.channels):
            skipped = k * source.height * source.stride
            made = k * target.height * target.stride
            _finish(source, origin, upper + skipped, lower + skipped, share, target, at + made)


@kernel
def _walk_colour(
    source: Picture,
    origin: Origins,
    upper: int,
    lower: int,
    share: float,
    rest: float,
    target: Picture,
    at: int,
) -> None:
    """The first part, by whole blocks; what the last one writes too much is made again, or is room.

    The channels are not a loop: LLVM knows a permutation only where positions and picks are in one basic block.
    """
    plane, made = source.height * source.stride, target.height * target.stride
    for block in range((origin.walked + BLOCK - 1) // BLOCK):
        above, below, to = upper + origin.base[block], lower + origin.base[block], at + block * BLOCK
        positions = load(origin.inputs, block * BLOCK, BLOCK)
        shares = _shares(origin, block, share, rest)
        red = _blend(source.data, above, below, positions, shares)
        green = _blend(source.data, above + plane, below + plane, positions, shares)
        blue = _blend(source.data, above + 2 * plane, below + 2 * plane, positions, shares)
        store(target.data, to, to_u8(to_i32(red)))
        store(target.data, to + made, to_u8(to_i32(green)))
        store(target.data, to + 2 * made, to_u8(to_i32(blue)))


@kernel
def _walk_grey(
    source: Picture,
    origin: Origins,
    upper: int,
    lower: int,
    share: float,
    rest: float,
    target: Picture,
    at: int,
) -> None:
    """The same for one channel, rounded: half goes up."""
    for block in range((origin.walked + BLOCK - 1) // BLOCK):
        positions = load(origin.inputs, block * BLOCK, BLOCK)
        above, below = upper + origin.base[block], lower + origin.base[block]
        value = _blend(source.data, above, below, positions, _shares(origin, block, share, rest))
        whole = to_i32(value)
        lost = value - to_f32(whole)
        up = select(
            lost < splat(np.float32(0.5), BLOCK), splat(np.int32(0), BLOCK), splat(np.int32(1), BLOCK)
        )
        store(target.data, at + block * BLOCK, to_u8(whole + up))


@kernel
def _shares(origin: Origins, block: int, share: float, rest: float) -> tuple[Vector, Vector, Vector, Vector]:
    """Return the weights of a block's inputs: above left, above right, below left, below right."""
    left = load(origin.left_share, block * BLOCK, BLOCK)
    right = load(origin.right_share, block * BLOCK, BLOCK)
    above, below = splat(rest, BLOCK), splat(share, BLOCK)
    return above * left, above * right, below * left, below * right


@kernel
def _blend(data: Bytes, upper: int, lower: int, positions: Vector, shares: tuple[Vector, ...]) -> Vector:
    """Return the weighted sum of a block's inputs, each product and sum rounded to float32, in dlib's order."""
    following = positions + splat(np.int32(1), BLOCK)
    above, below = load(data, upper, SPAN), load(data, lower, SPAN)
    value = shares[0] * to_f32(pick(above, positions))
    value += shares[1] * to_f32(pick(above, following))
    value += shares[2] * to_f32(pick(below, positions))
    value += shares[3] * to_f32(pick(below, following))
    return value


@kernel
def _finish(
    source: Picture, origin: Origins, upper: int, lower: int, share: float, target: Picture, at: int
) -> None:
    """The columns near the right border; grey in float32 within a row, colour in double throughout."""
    data = source.data
    place = -origin.scale + origin.walked * origin.scale
    for column in range(origin.walked, target.width):
        place += origin.scale
        left = int(place)
        right = min(left + 1, source.width - 1)
        if source.channels == 1:
            across = np.float32(place - left)
            rest = np.float32(1) - across
            above = rest * np.float32(data[upper + left]) + across * np.float32(data[upper + right])
            below = rest * np.float32(data[lower + left]) + across * np.float32(data[lower + right])
            value = np.float64(np.float32((1 - share) * above + share * below))
        else:
            part_right = place - left
            above = (1 - part_right) * data[upper + left] + part_right * data[upper + right]
            below = (1 - part_right) * data[lower + left] + part_right * data[lower + right]
            value = (1 - share) * above + share * below
        target.data[at + column] = min(int(value), 255)


@kernel
def resize_all(source: Picture, target: Picture) -> None:
    """Make every row of `target` from `source`."""
    resize_rows(source, origins(source, target), target, 0, target.height)
