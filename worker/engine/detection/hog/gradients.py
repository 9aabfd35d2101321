"""Directions, of 18, and lengths of pixels' gradients, as dlib 20.0.1's `extract_fhog_features` has them.

A gradient's parts along x and y are kept as bytes, their amounts and their signs apart: 32 pixels fill a register
of AVX2, which words and floats would take two and four for. The squared length of a gradient has 17 bits; by it
the channel is chosen whose gradient is the longest.
"""

# ruff: noqa: PLR0917 -- kernels take arrays and where in them; a call of theirs has no keywords

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from worker.simd.arithmetic import as_i16, select, shift_right, sqrt, to_f32, to_i16
from worker.simd.kernel import Bytes, Floats, Shorts, Vector, kernel
from worker.simd.lanes import load, splat, store
from worker.simd.packing import dot_bytes, excess, high_pairs, low_pairs, pack
from worker.simd.shuffles import dot_pairs, part

PIECE = 32  # pixels
QUARTER = PIECE // 4
HALF = 9  # of the directions: the others are their opposites

# dlib picks the direction (of 9, or its opposite) with the largest product. For bytes' gradients that changes
# where |gy| / |gx| passes four bounds near tan(10, 30, 50, 70 degrees). These fractions, 3/17, 41/71, 87/73 and
# 11/4, are the first ones past the bounds that two bytes can make: |gx| * ACROSS + |gy| * DOWN is below zero before
# a bound and not after it, and fits 16 bits.
ACROSS_10, ACROSS_30, ACROSS_50, ACROSS_70 = -3, -41, -87, -11
DOWN_10, DOWN_30, DOWN_50, DOWN_70 = 17, 71, 73, 4

Gradient: TypeAlias = tuple[Vector, Vector, Vector, Vector]
"""|gx|, |gy|, and numbers that are above zero where gx, and where gy, is below: each for PIECE pixels."""
Squares: TypeAlias = tuple[Vector, Vector, Vector, Vector]
"""Squared lengths, as `low_pairs` and `high_pairs` order them: pixels 0..3 and 16..19, 4..7 and 20..23, ..."""


@kernel
def grey_gradients(
    data: Bytes, at: int, stride: int, step: int, direction: Shorts, length: Floats, to: int
) -> None:
    """Write the gradients of PIECE pixels of one channel, as `colour_gradients` does."""
    grey = _gradient(data, at, stride)
    _write(grey, _squared(grey), step, direction, length, to)


@kernel
def colour_gradients(
    data: Bytes, at: int, stride: int, plane: int, step: int, direction: Shorts, length: Floats, to: int
) -> None:
    """Write for PIECE pixels the longest gradient of the channels; of equal ones the blue, else the green.

    data, at, stride, plane: the first pixel, and how far its neighbours below and in the next channel are.
    direction: is given direction * step, a literal. length: float32. to: where in both.
    """
    red, green = _gradient(data, at, stride), _gradient(data, at + plane, stride)
    blue = _gradient(data, at + 2 * plane, stride)
    _write_longest(red, green, blue, step, direction, length, to)


@kernel
def leftover_gradients(
    data: Bytes, at: int, stride: int, plane: int, step: int, direction: Shorts, length: Floats, to: int
) -> None:
    """The same, but of equal gradients red goes before green and blue."""
    red, green = _gradient(data, at, stride), _gradient(data, at + plane, stride)
    blue = _gradient(data, at + 2 * plane, stride)
    _write_longest(blue, green, red, step, direction, length, to)


@kernel
def _gradient(data: Bytes, at: int, stride: int) -> Gradient:
    right, left = load(data, at + 1, PIECE), load(data, at - 1, PIECE)
    below, above = load(data, at + stride, PIECE), load(data, at - stride, PIECE)
    leftwards, upwards = excess(left, right), excess(above, below)
    return excess(right, left) + leftwards, excess(below, above) + upwards, leftwards, upwards


@kernel
def _squared(gradient: Gradient) -> Squares:
    low, high = low_pairs(gradient[0], gradient[1]), high_pairs(gradient[0], gradient[1])
    nothing = splat(np.uint8(0), PIECE)
    first, second = as_i16(low_pairs(low, nothing)), as_i16(high_pairs(low, nothing))
    third, fourth = as_i16(low_pairs(high, nothing)), as_i16(high_pairs(high, nothing))
    return (
        dot_pairs(first, first),
        dot_pairs(second, second),
        dot_pairs(third, third),
        dot_pairs(fourth, fourth),
    )


@kernel
def _write_longest(
    first: Gradient, second: Gradient, third: Gradient, step: int, direction: Shorts, length: Floats, to: int
) -> None:
    """Write the longest of three gradients, of equal ones the last, but the second before the first."""
    squared, others, lasts = _squared(first), _squared(second), _squared(third)
    best = _longer(first, second, squared, others)
    squared = _larger(squared, others)
    best = _longer(best, third, squared, lasts)
    _write(best, _larger(squared, lasts), step, direction, length, to)


@kernel
def _longer(one: Gradient, other: Gradient, squared: Squares, others: Squares) -> Gradient:
    """Return `one` where its square is the larger, else `other`."""
    yes, no = splat(np.int32(-1), QUARTER), splat(np.int32(0), QUARTER)
    first, second = select(squared[0] > others[0], yes, no), select(squared[1] > others[1], yes, no)
    third, fourth = select(squared[2] > others[2], yes, no), select(squared[3] > others[3], yes, no)
    mask = pack(pack(first, second), pack(third, fourth)) != splat(np.uint8(0), PIECE)
    return (
        select(mask, one[0], other[0]),
        select(mask, one[1], other[1]),
        select(mask, one[2], other[2]),
        select(mask, one[3], other[3]),
    )


@kernel
def _larger(squared: Squares, others: Squares) -> Squares:
    return (
        select(squared[0] > others[0], squared[0], others[0]),
        select(squared[1] > others[1], squared[1], others[1]),
        select(squared[2] > others[2], squared[2], others[2]),
        select(squared[3] > others[3], squared[3], others[3]),
    )


@kernel
def _write(
    gradient: Gradient, squared: Squares, step: int, direction: Shorts, length: Floats, to: int
) -> None:
    store(direction, to, to_i16(_directions(gradient)) * splat(np.int16(step), PIECE))
    _write_lengths(squared[0], length, to)
    _write_lengths(squared[1], length, to + 4)
    _write_lengths(squared[2], length, to + 8)
    _write_lengths(squared[3], length, to + 12)


@kernel
def _write_lengths(squared: Vector, length: Floats, to: int) -> None:
    lengths = sqrt(to_f32(squared))
    store(length, to, part(lengths, 0, 4))
    store(length, to + 16, part(lengths, 4, 4))


@kernel
def _directions(gradient: Gradient) -> Vector:
    """Return bytes: 0 rightwards, 4 and 5 downwards, 9 leftwards, ... 17; anything where there is no gradient."""
    across, down, leftwards, upwards = gradient
    low, high = _missed(low_pairs(across, down)), _missed(high_pairs(across, down))
    missed = pack(low, high)  # 0..4: how many of the bounds are not passed
    nothing, most = splat(np.uint8(0), PIECE), splat(np.uint8(4), PIECE)
    flat = missed > splat(np.uint8(3), PIECE)
    left, up = leftwards != nothing, upwards != nothing
    apart = (left ^ up) & (across != nothing) & (most > missed)
    steps = select(apart, missed + splat(np.uint8(HALF - 4), PIECE), most - missed)
    return select(select(flat, left, up), steps + splat(np.uint8(HALF), PIECE), steps)


@kernel
def _missed(pairs: Vector) -> Vector:
    """Return how many of the bounds each pair of |gx| and |gy| does not pass."""
    missed = shift_right(dot_bytes(pairs, ACROSS_10, DOWN_10), 15)
    missed += shift_right(dot_bytes(pairs, ACROSS_30, DOWN_30), 15)
    missed += shift_right(dot_bytes(pairs, ACROSS_50, DOWN_50), 15)
    missed += shift_right(dot_bytes(pairs, ACROSS_70, DOWN_70), 15)
    return missed
