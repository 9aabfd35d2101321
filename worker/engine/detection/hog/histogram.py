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
from worker.simd.arithmetic import fma, multiply_high, select, sqrt, to_f32, to_i16
from worker.simd.kernel import Bytes, Floats, Shorts, Vector, kernel
from worker.simd.lanes import load, splat, store
from worker.simd.shuffles import dot_pairs, every, interleave

CELL = 8
DIRECTIONS = 18
PATCHES = 16  # worked on at once
PIXELS = PATCHES * CELL
STEP = 4 * PATCHES  # numbers a direction, in the votes of a block of patches


# dlib picks the direction (of 9, or its opposite) with the largest product. For bytes' gradients that changes
# where |gy| / |gx| passes four bounds near tan(10, 30, 50, 70 degrees): where |gy| is above |gx| times the bound,
# rounded down. 65536ths of the bounds, and one and two times |gx| for the last two, say the same for all of them.
BOUNDS = (0.17635004621600772, 0.57743532323649, 1.191745333238697, 2.7486263736263736)
BOUND_10, BOUND_30, BOUND_50, BOUND_70 = (round(bound % 1 * 65536) for bound in BOUNDS)


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
    direction: Shorts,
    length: Floats,
) -> None:
    """Let the pixels of a block of patches vote.

    right, bottom: `visible` of the picture's size. x, y: the block's first pixel, perhaps outside of the picture.
    votes: (DIRECTIONS * STEP,) float32, made new: four numbers for a patch, all patches of one direction together.
    direction, length: room for CELL * PIXELS + 16 int16 and float32; the directions are valid ones at first.
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
def _count(direction: Shorts, length: Floats, votes: Floats) -> None:
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
def _gradient(data: Bytes, at: int, stride: int) -> tuple[Vector, Vector]:
    """Return 16 pixels' gradients, dx and dy."""
    dx = to_i16(load(data, at + 1, 16)) - to_i16(load(data, at - 1, 16))
    dy = to_i16(load(data, at + stride, 16)) - to_i16(load(data, at - stride, 16))
    return dx, dy


@kernel
def _squared(gradient: tuple[Vector, Vector]) -> Vector:
    both = interleave(gradient[0], gradient[1])
    return dot_pairs(both, both)


@kernel
def _settle(
    gradient: tuple[Vector, Vector], squared: Vector, at: int, direction: Shorts, length: Floats
) -> None:
    """Write 16 pixels' directions (times STEP) and lengths."""
    dx, dy = gradient
    nothing = splat(np.int16(0), 16)
    across = select(dx < nothing, nothing - dx, dx)
    down = select(dy < nothing, nothing - dy, dy)
    above_10 = down > multiply_high(across, BOUND_10)
    above_30 = down > multiply_high(across, BOUND_30)
    above_50 = down > across + multiply_high(across, BOUND_50)
    above_70 = down > across + across + multiply_high(across, BOUND_70)
    steps = select(above_10, splat(np.int16(STEP), 16), nothing)
    steps = select(above_30, splat(np.int16(2 * STEP), 16), steps)
    steps = select(above_50, splat(np.int16(3 * STEP), 16), steps)
    steps = select(above_70, splat(np.int16(4 * STEP), 16), steps)
    apart = select(dy < nothing, nothing - dx, dx) < nothing  # one is positive, the other negative
    mirrored = select(apart, splat(np.int16(9 * STEP), 16) - steps, steps)
    steps = select(above_10, mirrored, steps)
    backward = select(above_10, dy, dx) < nothing
    store(direction, at, select(backward, steps + splat(np.int16(9 * STEP), 16), steps))
    store(length, at, sqrt(to_f32(squared)))


@kernel
def _grey_gradients(data: Bytes, at: int, stride: int, direction: Shorts, length: Floats, to: int) -> None:
    for i in range(0, PIXELS, 16):
        gradient = _gradient(data, at + i, stride)
        _settle(gradient, _squared(gradient), to + i, direction, length)


@kernel
def _colour_gradients(
    data: Bytes, at: int, stride: int, plane: int, direction: Shorts, length: Floats, to: int
) -> None:
    """Each pixel's longest gradient of the three channels; of equal ones green goes before red, blue before all."""
    for i in range(0, PIXELS, 16):
        red = _gradient(data, at + i, stride)
        green = _gradient(data, at + i + plane, stride)
        blue = _gradient(data, at + i + 2 * plane, stride)
        _longest(red, green, blue, to + i, direction, length)


@kernel
def _leftover_gradients(
    data: Bytes, at: int, stride: int, plane: int, first: int, direction: Shorts, length: Floats, to: int
) -> None:
    """The columns after dlib's last full group of eight: there, of equal gradients red goes before green and blue.

    So they are done again with the channels in the opposite order.
    """
    red = _gradient(data, at + first, stride)
    green = _gradient(data, at + first + plane, stride)
    blue = _gradient(data, at + first + 2 * plane, stride)
    _longest(blue, green, red, to + first, direction, length)


@kernel
def _longest(
    red: tuple[Vector, Vector],
    green: tuple[Vector, Vector],
    blue: tuple[Vector, Vector],
    at: int,
    direction: Shorts,
    length: Floats,
) -> None:
    red_squared, green_squared, blue_squared = _squared(red), _squared(green), _squared(blue)
    is_red = red_squared > green_squared
    squared = select(is_red, red_squared, green_squared)
    dx, dy = select(is_red, red[0], green[0]), select(is_red, red[1], green[1])
    is_best = squared > blue_squared
    best = select(is_best, dx, blue[0]), select(is_best, dy, blue[1])
    _settle(best, select(is_best, squared, blue_squared), at, direction, length)


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
