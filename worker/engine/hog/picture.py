"""How a picture lies in memory for the kernels.

One byte plane a channel, so that sixteen neighbouring pixels are one load. Rows have room before and after, so
that vectors may begin before a row and run past its end: what is there is arbitrary, and never counts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from worker.engine.hog.kernel import Bytes, kernel

ROOM_BEFORE = 16
ROOM_AFTER = 240  # a block of 128 pixels, begun 4 pixels early, and one vector of 64 more


class Picture(NamedTuple):
    """Planes of bytes; pixel (x, y) of channel k is data[k * height * stride + y * stride + ROOM_BEFORE + x]."""

    data: NDArray[np.uint8]
    width: int
    height: int
    stride: int
    channels: int  # 1 (grey) or 3 (red, green, blue)


@kernel
def blank(width: int, height: int, channels: int) -> Picture:
    """Return a picture of that size with arbitrary pixels."""
    stride = (ROOM_BEFORE + width + ROOM_AFTER + 63) // 64 * 64
    return Picture(np.empty(channels * height * stride, np.uint8), width, height, stride, channels)


@kernel
def from_pixels(pixels: Bytes) -> Picture:
    """Return the picture that an array (height, width, channels) of bytes holds."""
    height, width, channels = pixels.shape
    picture = blank(width, height, channels)
    for y in range(height):
        for k in range(channels):
            at = (k * height + y) * picture.stride + ROOM_BEFORE
            for x in range(width):
                picture.data[at + x] = pixels[y, x, k]
    return picture
