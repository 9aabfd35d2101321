"""Pictures to decode, and the limits they are decoded within."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from faces.errors import PictureError
from faces.formats.limits import Limits
from faces.formats.signatures import KNOWN_FORMATS
from worker.decoding.decoder import decode

Pixels = NDArray[np.uint8]
LIMITS = Limits(max_bytes=1 << 20, max_pixels=1 << 20, formats=KNOWN_FORMATS)
RED, GREEN, BLUE, GREY = (250, 10, 10), (10, 240, 10), (10, 10, 230), (90, 90, 90)


def four_corners(width: int = 48, height: int = 32) -> Pixels:
    """Red | green above blue | grey: no turn or flip of it looks like another."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2], pixels[: height // 2, width // 2 :] = RED, GREEN
    pixels[height // 2 :, : width // 2], pixels[height // 2 :, width // 2 :] = BLUE, GREY
    return pixels


def noise(width: int = 80, height: int = 60) -> Pixels:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def code_of(data: bytes, limits: Limits = LIMITS) -> str:
    with pytest.raises(PictureError) as caught:
        decode(data, limits=limits)
    return caught.value.code


# How a picture lies in its file for each orientation, as EXIF defines it: by where its first row and column belong.
STORED: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: upright[:, ::-1].swapaxes(0, 1),
    7: lambda upright: upright[::-1, ::-1].swapaxes(0, 1),
    8: lambda upright: upright[::-1].swapaxes(0, 1),
}
