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

from worker.engine.detection.hog.gradients import (
    PIECE,
    colour_gradients,
    grey_gradients,
    leftover_gradients,
)
from worker.engine.detection.hog.picture import ROOM_BEFORE, Picture
from worker.simd.arithmetic import fma
from worker.simd.kernel import Floats, Shorts, kernel
from worker.simd.lanes import load, splat, store
from worker.simd.memory import prefetch
from worker.simd.shuffles import every

CELL = 8
DIRECTIONS = 18
PATCHES = 16  # worked on at once
PIXELS = PATCHES * CELL
STEP = 4 * PATCHES  # numbers a direction, in the votes of a block of patches


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
    direction, length: room for CELL * PIXELS + PIECE int16 and float32; the directions are valid ones at first.
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
        stride, plane = picture.stride, picture.height * picture.stride
        _fetch(picture, at + stride + PIXELS)
        if picture.channels == 1:
            for i in range(0, PIXELS, PIECE):
                grey_gradients(picture.data, at + i, stride, STEP, direction, length, to + i)
        else:
            for i in range(0, PIXELS, PIECE):
                colour_gradients(picture.data, at + i, stride, plane, STEP, direction, length, to + i)
            if leftover < end:  # the columns after dlib's last full group of eight, which it treats otherwise
                first, out = at + leftover, to + leftover
                leftover_gradients(picture.data, first, stride, plane, STEP, direction, length, out)
        for i in range(1 - x):
            length[to + i] = 0
        for i in range(end, PIXELS):
            length[to + i] = 0
    _count(direction, length, votes)


@kernel
def _fetch(picture: Picture, at: int) -> None:
    """Have the next block's pixels fetched: of its short rows the processor cannot foresee where they begin."""
    for k in range(picture.channels):
        first = at + k * picture.height * picture.stride
        prefetch(picture.data, first)
        prefetch(picture.data, first + PIXELS // 2)


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
