"""Decodes ordinary JPEGs through libjpeg-turbo's own interface; Pillow would copy each picture twice.

Both use libjpeg-turbo and give the same bytes. Pillow has already read the header, and decodes everything out of
the ordinary, so it alone decides which files are refused and why.
"""

from __future__ import annotations

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import ImageFile

MIN_REDUCED = 16  # pixels; a smaller picture has the same size at several of libjpeg-turbo's scales


def decode_jpeg(data: bytes, image: ImageFile.ImageFile, whole: tuple[int, int]) -> NDArray[np.uint8] | None:
    """Return the pixels (h, w, 3) uint8, RGB, of a JPEG that Pillow has opened, at the size it is set to.

    `whole` is the width and height in the file. Returns None where Pillow has to decode it: it is CMYK or damaged,
    or the two libraries read different sizes.
    """
    width, height = image.size
    reduced = image.size != whole
    if image.mode not in {"RGB", "L"} or (reduced and max(whole) < MIN_REDUCED):
        return None
    try:
        stored_height, stored_width, *_ = simplejpeg.decode_jpeg_header(data)
        if (stored_width, stored_height) != whole:
            return None
        least = {"min_width": width, "min_height": height} if reduced else {}
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(data, "RGB", **least)
    except (ValueError, KeyError, RuntimeError):  # KeyError: colours that it has no name for
        return None
    return pixels if pixels.shape == (height, width, 3) else None
