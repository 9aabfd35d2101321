"""dlib's extraction of a chip, byte for byte, in less than half of dlib's time.

A face is turned upright and resized to the chip by bilinear interpolation, whose result is truncated; where it is
more than twice as large, from a picture that was halved before (image_pyramid.h). What lies outside is black. As
values are truncated, even the last bit of a pixel's place counts: all is computed in double and in dlib's order.
Source: dlib 20.0's image_transforms/interpolation.h.
"""

# ruff: noqa: PLR0917 -- kernels take arrays and where in them; a call of theirs has no keywords

from __future__ import annotations

import math
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from worker.engine.alignment.blending import blend
from worker.engine.conversion.networks import CHIP
from worker.engine.types import Pixels
from worker.simd.kernel import Bytes, kernel

Doubles: TypeAlias = NDArray[np.float64]

CORNERS = np.array(
    [
        [-0.0067114093959731525, -0.0067114093959731525, 0.9999999999999997],
        [0.0067114093959731533, 0.0, 2.0328790734103208e-20],
        [4.336808689942018e-19, 0.0067114093959731533, 2.710505431213761e-20],
    ]
)
"""The pseudoinverse of a chip's corners (0, 0), (149, 0), (0, 149), as dlib's decomposition rounds it."""

MIN_HALVED = 9  # pixels; of a picture that is narrower or lower, dlib's pyramid leaves nothing


class Rectangle(NamedTuple):
    """A rectangle between pixels; its sides belong to it, so that one from 0 to 149 is 150 wide."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def area(self) -> float:
        """Its area, 0 where it is empty."""
        width, height = self.right - self.left + 1, self.bottom - self.top + 1
        return width * height if self.right >= self.left and self.bottom >= self.top else 0.0

    def halved(self) -> Rectangle:
        """The same in a picture that was halved."""
        return Rectangle(
            self.left / 2 - 1.25, self.top / 2 - 0.75, self.right / 2 - 1.25, self.bottom / 2 - 0.75
        )

    def corners(self, angle: float) -> list[tuple[float, float]]:
        """Its corners when it is turned by an angle: left and right above, left and right below."""
        cosine, sine = math.cos(angle), math.sin(angle)
        x, y = (self.left + self.right) / 2, (self.top + self.bottom) / 2
        sides = [(side - x, end - y) for end in (self.top, self.bottom) for side in (self.left, self.right)]
        return [(cosine * a - sine * b + x, sine * a + cosine * b + y) for a, b in sides]


def extract(pixels: Pixels, place: Rectangle, angle: float) -> Pixels:
    """Return the chip (CHIP, CHIP, 3) of a place that is turned by an angle in radians.

    pixels: (height, width, 3) RGB, uint8, C-contiguous.
    """
    chip = np.zeros(CHIP * CHIP * 3 + 1, np.uint8)  # a pixel is written as four bytes
    left, top, width, height = _around(place, angle, pixels.shape)
    place = Rectangle(place.left - left, place.top - top, place.right - left, place.bottom - top)
    while place.halved().area > CHIP * CHIP and width > 0 < height:
        place = place.halved()
        pixels = _halved(pixels, left, top, width, height)
        left, top, (height, width, _) = 0, 0, pixels.shape
    if width > 0 < height:
        _cut(pixels, left, top, width, height, _map(place.corners(angle)), chip)
    return chip[:-1].reshape(CHIP, CHIP, 3)


def _around(place: Rectangle, angle: float, size: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Return left, top, width and height of what dlib looks at: the place and some pixels around it."""
    margin, halved = 2.0, place.halved()
    while halved.area > CHIP * CHIP:
        margin, halved = margin * 2 + 2, halved.halved()
    x, y = zip(*place.corners(angle), strict=True)
    left, top = _nearest(max(min(x) - margin, 0)), _nearest(max(min(y) - margin, 0))
    right, bottom = _nearest(min(max(x) + margin, size[1] - 1)), _nearest(min(max(y) + margin, size[0] - 1))
    return left, top, right - left + 1, bottom - top + 1


def _nearest(side: float) -> int:
    """Round as C's lround, half away from zero."""
    return math.floor(side + 0.5) if side >= 0 else -math.floor(0.5 - side)


def _map(corners: list[tuple[float, float]]) -> Doubles:
    """Return what maps (x, y, 1) of a chip to its place with these corners, (2, 3)."""
    upper_left, upper_right, lower_left, _ = np.array(corners)[:, :, None]
    map_: Doubles = upper_left * CORNERS[0] + upper_right * CORNERS[1] + lower_left * CORNERS[2]
    return map_


@kernel
def _cut(pixels: Bytes, left: int, top: int, width: int, height: int, place: Doubles, chip: Bytes) -> None:
    """Fill a chip, of bytes in a row and one more, from an area of a picture."""
    flat = pixels.reshape(-1)
    row_size = 3 * pixels.shape[1]
    x_x, x_y, x_1, y_x, y_y, y_1 = (
        place[0, 0],
        place[0, 1],
        place[0, 2],
        place[1, 0],
        place[1, 1],
        place[1, 2],
    )
    across, down = np.empty(CHIP, np.float64), np.empty(CHIP, np.float64)
    origin = np.empty(CHIP, np.int64)
    to = 0
    for row in range(CHIP):
        for column in range(CHIP):
            x, y = x_x * column + x_y * row + x_1, y_x * column + y_y * row + y_1
            whole_x, whole_y = np.floor(x), np.floor(y)
            across[column], down[column] = x - whole_x, y - whole_y
            inside = (whole_x >= 0) & (whole_y >= 0) & (whole_x + 1 < width) & (whole_y + 1 < height)
            at = (top + np.int64(whole_y)) * row_size + 3 * (left + np.int64(whole_x))
            origin[column] = at if inside else -1
        for column in range(CHIP):
            at = origin[column]
            if at >= 0:
                blend(flat, at, at + row_size, across[column], down[column], chip, to)
            else:
                chip[to] = chip[to + 1] = chip[to + 2] = 0
            to += 3


@kernel
def _halved(pixels: Bytes, left: int, top: int, width: int, height: int) -> Bytes:
    """Return an area of a picture at half its size: every second pixel after a smoothing by 1 4 6 4 1."""
    if width < MIN_HALVED or height < MIN_HALVED:
        return np.empty((0, 0, 3), np.uint8)
    half = np.empty(((height - 3) // 2, (width - 3) // 2, 3), np.uint8)
    flat, made = pixels.reshape(-1), half.reshape(-1)
    row_size, made_size = np.uint64(3 * pixels.shape[1]), np.uint64(3 * half.shape[1])
    smooth = np.empty(3 * width, np.uint16)
    for row in range(half.shape[0]):
        first = np.uint64(3 * ((top + 2 * row) * pixels.shape[1] + left))
        for k in range(np.uint64(3 * width)):
            smooth[k] = _smoothed(flat, first + k, row_size)
        to = np.uint64(row) * made_size
        for column in range(np.uint64(half.shape[1])):
            for channel in range(np.uint64(3)):
                at = np.uint64(6) * column + channel
                made[to + np.uint64(3) * column + channel] = _smoothed(smooth, at, np.uint64(3)) >> np.uint32(
                    8
                )
    return half


@kernel
def _smoothed(values: NDArray[np.unsignedinteger], at: np.uint64, step: np.uint64) -> np.uint32:
    """Return the sum of five values, each `step` after the one before, weighted 1 4 6 4 1: 256 times at most."""
    outer = np.uint32(values[at]) + np.uint32(values[at + np.uint64(4) * step])
    inner = np.uint32(values[at + step]) + np.uint32(values[at + np.uint64(3) * step])
    return outer + np.uint32(4) * inner + np.uint32(6) * np.uint32(values[at + np.uint64(2) * step])
