"""Gradient histograms of cells of 8x8 pixels, as dlib 20.0.1's `extract_fhog_features` votes them.

A pixel votes with the length of its gradient for one of 18 directions, in the four cells around it, by how near
their centres are. So the pixels between four neighbouring cell centres, 8x8 of them, vote in the same four
cells: a *patch*. A patch keeps, for each direction, its votes for the four cells side by side, and one vote is
one vector of four numbers. That needs no care for conflicts and no spreading of votes; `spread` adds the patches
to the cells when a row of patches is complete.

Cell (row, column) has number (row + 1, column + 1) here, patch (r, c) lies between the cells numbered r and
r + 1, c and c + 1; cells 0 and the last are a border whose votes never count.
"""

# ruff: noqa: PLR0917 -- kernels take arrays and where in them; a call of theirs has no keywords

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from worker.engine.detection.hog.picture import ROOM_BEFORE, Picture
from worker.simd.kernel import Bytes, Floats, Integers, Vector, kernel
from worker.simd.lanes import (
    as_i16,
    as_i32,
    fma,
    load,
    select,
    shift_left,
    splat,
    sqrt,
    store,
    to_f32,
    to_i16,
)
from worker.simd.shuffles import dot_pairs, every, interleave, part

CELL = 8
DIRECTIONS = 18
PATCHES = 16  # worked on at once
PIXELS = PATCHES * CELL
STEP = 4 * PATCHES  # numbers a direction, in the votes of a block of patches


def _pair(low: int, high: int) -> int:
    """Return two 16-bit numbers as one of 32 bits."""
    return int(np.int32((high << 16) | (low & 0xFFFF)))


# dlib picks the direction (of 9, or its opposite) with the largest product. For bytes' gradients that changes
# where |gy| / |gx| passes four bounds near tan(10, 30, 50, 70 degrees), lower * |gy| > upper * |gx|. These
# fractions lie between the same neighbours, among all fractions of two bytes, as dlib's float32 bounds do.
BOUNDS = (0.17635004821600772, 0.57743532323649, 1.191745333238697, 2.7486263736263736)


def _fraction(bound: float) -> int:
    """Return a pair (-upper, lower) whose quotient no quotient of two bytes separates from `bound`."""
    low, high = (0, 1), (1, 0)
    while max(*low, *high) <= 255:
        middle = low[0] + high[0], low[1] + high[1]
        if np.float32(middle[1]) * np.float32(bound) < middle[0]:
            high = middle
        else:
            low = middle
    return _pair(-(low[0] + high[0]), low[1] + high[1])


BOUND_10, BOUND_30, BOUND_50, BOUND_70 = (_fraction(bound) for bound in BOUNDS)


def _shares() -> NDArray[np.float32]:
    """Return what each pixel of a patch gives to the cells above left, above right, below left, below right."""
    second = (2 * np.arange(CELL) + 1) / (2 * CELL)
    both = np.stack([1 - second, second], axis=-1)
    return np.asarray(np.einsum("yv,xh->yxvh", both, both), np.float32).ravel()


SHARES = _shares()


@kernel
def cells_of(pixels: int) -> int:
    """Return how many cells a number of pixels gives: half a cell counts."""
    return int(np.float32(pixels) / np.float32(CELL) + 0.5)


@kernel
def visible(pixels: int) -> int:
    """Return the pixel at which gradients end; they begin at pixel 1."""
    return min(cells_of(pixels) * CELL, pixels) - 1


@kernel
def vote(
    picture: Picture,
    right: int,
    bottom: int,
    x: int,
    y: int,
    votes: Floats,
    direction: Integers,
    length: Floats,
) -> None:
    """Let the pixels of a block of patches vote.

    right, bottom: `visible` of the picture's size. x, y: the block's first pixel, perhaps outside of the picture.
    votes: (DIRECTIONS * STEP,) float32, made new: four numbers for a patch, all patches of one direction together.
    direction, length: room for CELL * PIXELS + 16 int32 and float32; the directions are valid ones at first.
    """
    for i in range(0, DIRECTIONS * STEP, 16):
        store(votes, i, splat(np.float32(0), 16))
    leftover = max(1 + max(right - 1, 0) // CELL * CELL - x, 0)
    end = min(right - x, PIXELS)
    for row in range(CELL):
        at = (y + row) * picture.stride + ROOM_BEFORE + x
        to = row * PIXELS
        if y + row < 1 or y + row >= bottom:
            length[to : to + PIXELS] = 0
            continue
        if picture.channels == 1:
            _grey_gradients(picture.data, at, picture.stride, direction, length, to)
        else:
            plane = picture.height * picture.stride
            _colour_gradients(picture.data, at, picture.stride, plane, direction, length, to)
            if leftover < end:
                _leftover_gradients(picture.data, at, picture.stride, plane, leftover, direction, length, to)
        for i in range(1 - x):
            length[to + i] = 0
        for i in range(end, PIXELS):
            length[to + i] = 0
    _count(direction, length, votes)


@kernel
def _count(direction: Integers, length: Floats, votes: Floats) -> None:
    """Add the votes of all pixels of the block.

    Neighbours in a row are of one patch and often of one direction, so the next to vote is the next patch's:
    no addition waits for the one before.
    """
    for row in range(CELL):
        for column in range(CELL):
            shares = load(SHARES, (row * CELL + column) * 4, 4)
            for patch in range(PATCHES):
                pixel = row * PIXELS + patch * CELL + column
                at = np.intp(direction[pixel]) + 4 * patch
                store(votes, at, fma(splat(length[pixel], 4), shares, load(votes, at, 4)))


@kernel
def _gradient(data: Bytes, at: int, stride: int) -> Vector:
    """Return 32 pixels' gradients, (dx, dy) after (dx, dy)."""
    dx = to_i16(load(data, at + 1, 32)) - to_i16(load(data, at - 1, 32))
    dy = to_i16(load(data, at + stride, 32)) - to_i16(load(data, at - stride, 32))
    return interleave(dx, dy)


@kernel
def _settle(gradient: Vector, squared: Vector, at: int, direction: Integers, length: Floats) -> None:
    """Write 16 pixels' directions (times STEP) and lengths."""
    nothing = splat(np.int32(0), 16)
    dx, dy = shift_left(as_i32(gradient), 16), as_i32(gradient)  # each in the high half: for their signs
    size = select(gradient < splat(np.int16(0), 32), splat(np.int16(0), 32) - gradient, gradient)
    above_10 = dot_pairs(size, as_i16(splat(np.int32(BOUND_10), 16))) > nothing
    above_30 = dot_pairs(size, as_i16(splat(np.int32(BOUND_30), 16))) > nothing
    above_50 = dot_pairs(size, as_i16(splat(np.int32(BOUND_50), 16))) > nothing
    above_70 = dot_pairs(size, as_i16(splat(np.int32(BOUND_70), 16))) > nothing
    steps = select(above_10, splat(np.int32(STEP), 16), nothing)
    steps = select(above_30, splat(np.int32(2 * STEP), 16), steps)
    steps = select(above_50, splat(np.int32(3 * STEP), 16), steps)
    steps = select(above_70, splat(np.int32(4 * STEP), 16), steps)
    apart = select(dy < nothing, nothing - dx, dx) < nothing  # one is positive, the other negative
    mirrored = select(apart, splat(np.int32(9 * STEP), 16) - steps, steps)
    steps = select(above_10, mirrored, steps)
    backward = select(above_10, dy, dx) < nothing
    store(direction, at, select(backward, steps + splat(np.int32(9 * STEP), 16), steps))
    store(length, at, sqrt(to_f32(squared)))


@kernel
def _grey_gradients(data: Bytes, at: int, stride: int, direction: Integers, length: Floats, to: int) -> None:
    for i in range(0, PIXELS, 32):
        gradient = _gradient(data, at + i, stride)
        first, second = part(gradient, 0, 32), part(gradient, 32, 32)
        _settle(first, dot_pairs(first, first), to + i, direction, length)
        _settle(second, dot_pairs(second, second), to + i + 16, direction, length)


@kernel
def _colour_gradients(
    data: Bytes, at: int, stride: int, plane: int, direction: Integers, length: Floats, to: int
) -> None:
    """Each pixel's longest gradient of the three channels; of equal ones green goes before red, blue before all."""
    for i in range(0, PIXELS, 32):
        red = _gradient(data, at + i, stride)
        green = _gradient(data, at + i + plane, stride)
        blue = _gradient(data, at + i + 2 * plane, stride)
        _longest(part(red, 0, 32), part(green, 0, 32), part(blue, 0, 32), to + i, direction, length)
        _longest(part(red, 32, 32), part(green, 32, 32), part(blue, 32, 32), to + i + 16, direction, length)


@kernel
def _leftover_gradients(
    data: Bytes, at: int, stride: int, plane: int, first: int, direction: Integers, length: Floats, to: int
) -> None:
    """The columns after dlib's last full group of eight: there, of equal gradients red goes before green and blue.

    So they are done again with the channels in the opposite order.
    """
    red = _gradient(data, at + first, stride)
    green = _gradient(data, at + first + plane, stride)
    blue = _gradient(data, at + first + 2 * plane, stride)
    _longest(part(blue, 0, 32), part(green, 0, 32), part(red, 0, 32), to + first, direction, length)


@kernel
def _longest(red: Vector, green: Vector, blue: Vector, at: int, direction: Integers, length: Floats) -> None:
    red_squared, green_squared, blue_squared = (
        dot_pairs(red, red),
        dot_pairs(green, green),
        dot_pairs(blue, blue),
    )
    is_red = red_squared > green_squared
    best = select(is_red, as_i32(red), as_i32(green))
    squared = select(is_red, red_squared, green_squared)
    is_best = squared > blue_squared
    best = select(is_best, best, as_i32(blue))
    _settle(as_i16(best), select(is_best, squared, blue_squared), at, direction, length)


@kernel
def spread(
    votes: Floats, patch_column: int, left: Floats, right: Floats, upper: int, lower: int, stride: int
) -> None:
    """Add the votes of a block of patches to the cells above them, and give them to the cells below.

    left, right: the votes of each patch for its left and its right cells, which `join_votes` puts together;
    rows of patches, each DIRECTIONS times `stride` float32. upper, lower: where the two rows begin.
    """
    for k in range(DIRECTIONS):
        four = load(votes, k * STEP, STEP)
        above, below = upper + k * stride + patch_column, lower + k * stride + patch_column
        store(left, above, load(left, above, PATCHES) + every(four, 4, 0))
        store(right, above, load(right, above, PATCHES) + every(four, 4, 1))
        store(left, below, every(four, 4, 2))
        store(right, below, every(four, 4, 3))
