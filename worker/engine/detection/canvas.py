"""The canvas of dlib's CNN face detector: a picture in all its sizes, side by side in one plane.

One run of the network over the canvas finds faces of every size. Source: dlib 20.0's
image_transforms/image_pyramid.h (pyramid_down<6>, create_tiled_pyramid, tiled_pyramid_to_image).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import floor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from worker.engine.conversion.networks import CHANNEL_MEANS
from worker.engine.detection.bilinear import resize_within

GAP = 10
"""Pixels between tiles, of the mean colour."""

MARGIN = 11
"""Pixels around all tiles, of the mean colour."""

STRIDE = 8
"""Pixels of the canvas from one score to the next."""

MIN_CANVAS = 29
"""A side of a canvas that gives one score: three kernels of 5 at stride 2. What is smaller gives none."""

MIN_HEIGHT = 5
"""Smaller levels are left out."""

_MEANS = np.array(CHANNEL_MEANS, np.float32)[:, None, None]


class Tile(NamedTuple):
    """Where one size of the picture lies on the canvas."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Layout:
    """The canvas's size and its tiles, the largest first; each is 5/6 as large as the one before."""

    width: int
    height: int
    tiles: tuple[Tile, ...]


def layout(height: int, width: int) -> Layout:
    """Return the layout for a picture: one column downwards, then back up at the right while there is room."""
    sizes = _sizes(height, width)
    bottom = _column_height(sizes) + MARGIN
    tiles: list[Tile] = []
    y = MARGIN
    for level_height, level_width in sizes:
        if y >= bottom:
            break
        tiles.append(Tile(MARGIN, y, level_width, level_height))
        y += level_height + GAP
    y -= GAP
    for level_height, level_width in sizes[len(tiles) :]:
        tile = Tile(MARGIN + width - level_width, y - level_height, level_width, level_height)
        if tile.top < MARGIN + height:
            break
        tiles.append(tile)
        y -= level_height + GAP
    return Layout(_reached(width + 2 * MARGIN), _reached(bottom + MARGIN), tuple(tiles))


def _reached(size: int) -> int:
    """Leave out the last pixels, on which no score depends: so fewer sizes reach the runtime, which likes few."""
    return size - (size - MIN_CANVAS) % STRIDE


def _sizes(height: int, width: int) -> list[tuple[int, int]]:
    sizes = [(height, width)]
    while True:
        height, width = floor(5 / 6 * height), floor(5 / 6 * width)
        if width == 0 or height < MIN_HEIGHT:
            return sizes
        sizes.append((height, width))


def _column_height(sizes: list[tuple[int, int]]) -> int:
    """Return how far down the first column goes: until the next level fits beside the last.

    dlib also asks that half of what is left has gone into the column, which by then is so: no sides up to 40,000
    pixels make a difference.
    """
    _, room = sizes[0]
    height = previous_width = 0
    for level_height, level_width in sizes:
        if level_width <= room - previous_width - GAP:
            break
        height += level_height + GAP
        previous_width = level_width
    return height - GAP


def paint(pixels: NDArray[np.uint8], plan: Layout) -> NDArray[np.float32]:
    """Return the canvas (3, height, width) of `pixels` (h, w, 3): `(pixel - mean) / 256`, between the tiles 0."""
    canvas = np.zeros((3, plan.height, plan.width), np.float32)
    height, width, _ = pixels.shape
    first = canvas[:, MARGIN : MARGIN + height, MARGIN : MARGIN + width]
    np.subtract(pixels.transpose(2, 0, 1), _MEANS, out=first)
    first /= 256
    for source, target in pairwise(plan.tiles):
        resize_within(canvas, source, target)
    return canvas


def to_picture(plan: Layout, centres: NDArray[np.int64], corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return `corners` (n, 4) left, top, right, bottom on the canvas as they lie on the picture.

    Each box belongs to the tile that holds its centre (n, 2) x, y, else to the nearest.
    """
    tiles = np.array([(tile.left, tile.top, tile.width, tile.height) for tile in plan.tiles])
    first = tiles[:, :2]
    last = first + tiles[:, 2:] - 1
    outside = np.maximum(np.maximum(first - centres[:, None], centres[:, None] - last), 0)
    level = (outside**2).sum(axis=2).argmin(axis=1)
    corners = corners - np.tile(first[level], 2)
    for step in range(level.max(initial=0)):
        corners = np.where((level > step)[:, None], corners * (6 / 5) + 0.3, corners)
    return corners
