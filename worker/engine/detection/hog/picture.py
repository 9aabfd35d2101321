"""How a picture lies in memory for the kernels.

One byte plane a channel, so that sixteen neighbouring pixels are one load. Rows have room before and after, so
that vectors may begin before a row and run past its end: what is there is arbitrary, and never counts.
"""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from worker.simd.kernel import Bytes, kernel
from worker.simd.lanes import load, store
from worker.simd.shuffles import every

ROOM_BEFORE = 16
PIXELS = 16  # in colour, taken apart at once
COLOURS = 3 * PIXELS
ROOM_AFTER = 240  # a block of 128 pixels, begun 4 pixels early, and one vector of 64 more
MAX_KEPT = 64 << 20  # bytes, twice a thread


class Picture(NamedTuple):
    """Planes of bytes; pixel (x, y) of channel k is data[k * height * stride + y * stride + ROOM_BEFORE + x]."""

    data: NDArray[np.uint8]
    width: int
    height: int
    stride: int
    channels: int  # 1 (grey) or 3 (red, green, blue)


class Room(threading.local):
    """Memory for two pictures of bytes, by turns: a level and the one before. Each thread has and keeps its own.

    Fresh memory would cost a fifth of a detector's time. What a very large picture needs is not kept.
    """

    def __init__(self) -> None:
        self._kept = [np.empty(0, np.uint8), np.empty(0, np.uint8)]

    def blank(self, width: int, height: int, channels: int) -> Picture:
        """Return a picture of that size with arbitrary pixels; the picture before the last one is lost."""
        stride = (ROOM_BEFORE + width + ROOM_AFTER + 63) // 64 * 64
        size = channels * height * stride
        memory = self._kept.pop(0)
        if len(memory) < size:
            memory = np.empty(size, np.uint8)
        self._kept.append(memory if size <= MAX_KEPT else np.empty(0, np.uint8))
        return Picture(memory[:size], width, height, stride, channels)


@kernel
def fill(picture: Picture, pixels: Bytes) -> None:
    """Give a picture the pixels of an array (height, width, channels), which lie one after the other."""
    numbers, plane = pixels.reshape(-1), picture.height * picture.stride
    together = picture.width // PIXELS * PIXELS if picture.channels == 3 else 0
    for y in range(picture.height):
        at, source = y * picture.stride + ROOM_BEFORE, y * picture.width * picture.channels
        for x in range(0, together, PIXELS):
            colours = load(numbers, source + 3 * x, COLOURS)
            store(picture.data, at + x, every(colours, 3, 0))
            store(picture.data, at + plane + x, every(colours, 3, 1))
            store(picture.data, at + 2 * plane + x, every(colours, 3, 2))
        for k in range(picture.channels):
            for x in range(together, picture.width):
                picture.data[at + k * plane + x] = pixels[y, x, k]
