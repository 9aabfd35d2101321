"""dlib's bilinear resize for the canvas of its CNN detector: colour in bytes, and planes of float32.

Corners are aligned and nothing is smoothed. dlib places four columns at a time in float32, whose rounding errors
accumulate along the row, and the columns near the right border one by one in double; rows accumulate in double.
The places are followed to the bit, because each level is made from the one before; so are the bytes, because
they are truncated. Source: dlib 20.0's image_transforms/interpolation.h, resize_image with interpolate_bilinear.
"""

from __future__ import annotations

from math import floor
from typing import TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

Area: TypeAlias = tuple[int, int, int, int]
"""The left, top, width and height of a rectangle."""


ONE = np.uint64(1)
"""Columns are counted without sign, so that the compiled loops need not look for negative ones."""


def doubled(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return `pixels` (h, w, 3) enlarged to (2 h + 1, 2 w + 2, 3), truncated to bytes: dlib's pyramid_up."""
    height, width, _ = pixels.shape
    target = np.empty((2 * height + 1, 2 * width + 2, 3), np.uint8)
    _resize_bytes(pixels, target)
    return target


def resize_within(canvas: NDArray[np.float32], source: Area, target: Area) -> None:
    """Fill one area of `canvas` (channels, height, width) with another one, resized."""
    _resize_planes(canvas, tuple(source), tuple(target))


@njit(nogil=True, cache=True)
def _rows(size, target):  # type: ignore[no-untyped-def]  # compiled
    """Return where each of `target` rows lies between `size` rows."""
    scale = (size - 1) / max(target - 1, 1)
    places = np.empty(target, np.float64)
    place = -scale
    for row in range(target):
        place += scale
        places[row] = place
    return places


@njit(nogil=True, cache=True)
def _columns(size, target):  # type: ignore[no-untyped-def]  # compiled
    """Return each column's left neighbour, the share of its right one, and how many are placed in float32."""
    scale = (size - 1) / max(target - 1, 1)
    left = np.empty(target, np.uint64)
    share = np.empty(target, np.float64)
    lanes = np.empty(4, np.float32)
    for lane in range(4):
        lanes[lane] = np.float32(-4 * scale + lane * scale)
    step = np.float32(4 * scale)
    walked = 0
    while walked + 4 <= target:
        for lane in range(4):
            lanes[lane] += step
        if int(lanes[3]) + 1 >= size:
            break
        for lane in range(4):
            left[walked + lane] = int(lanes[lane])
            share[walked + lane] = lanes[lane] - np.float32(int(lanes[lane]))
        walked += 4
    place = -scale + walked * scale
    for column in range(walked, target):
        place += scale
        left[column] = min(floor(place), size - 1)
        share[column] = place - left[column]
    return left, share, walked


@njit(nogil=True, cache=True)
def _resize_bytes(source, target):  # type: ignore[no-untyped-def]  # compiled
    height, width, _ = source.shape
    rows = _rows(height, target.shape[0])
    left, share, walked = _columns(width, target.shape[1])
    for row in range(target.shape[0]):
        top = floor(rows[row])
        upper, lower, made = source[top], source[min(top + 1, height - 1)], target[row]
        down = rows[row] - top
        down32, up32 = np.float32(down), np.float32(1 - down)
        for column in range(walked):
            at = left[column]
            across = np.float32(share[column])
            rest = np.float32(1) - across
            a, b, c, d = up32 * rest, up32 * across, down32 * rest, down32 * across
            for k in range(3):
                above = a * np.float32(upper[at, k]) + b * np.float32(upper[at + ONE, k])
                made[column, k] = np.uint8(
                    above + c * np.float32(lower[at, k]) + d * np.float32(lower[at + ONE, k])
                )
        for column in range(walked, target.shape[1]):
            at, right = left[column], min(int(left[column]) + 1, width - 1)
            f = share[column]
            for k in range(3):
                above = (1 - f) * upper[at, k] + f * upper[right, k]
                below = (1 - f) * lower[at, k] + f * lower[right, k]
                made[column, k] = np.uint8((1 - down) * above + down * below)


@njit(nogil=True, cache=True)
def _resize_planes(canvas, source, target):  # type: ignore[no-untyped-def]  # compiled
    x0, y0, width, height = source
    x1, y1, new_width, new_height = target
    rows = _rows(height, new_height)
    left, share, walked = _columns(width, new_width)
    across = share.astype(np.float32)
    between = np.empty(width, np.float32)
    for k in range(canvas.shape[0]):
        for row in range(new_height):
            top = floor(rows[row])
            upper = canvas[k, y0 + top, x0 : x0 + width]
            lower = canvas[k, y0 + min(top + 1, height - 1), x0 : x0 + width]
            made = canvas[k, y1 + row, x1 : x1 + new_width]
            down, up = np.float32(rows[row] - top), np.float32(1 - (rows[row] - top))
            for column in range(width):
                between[column] = up * upper[column] + down * lower[column]
            for column in range(walked):
                at, f = left[column], across[column]
                made[column] = (np.float32(1) - f) * between[at] + f * between[at + ONE]
            for column in range(walked, new_width):
                at, f = left[column], across[column]
                made[column] = (np.float32(1) - f) * between[at] + f * between[min(int(at) + 1, width - 1)]
