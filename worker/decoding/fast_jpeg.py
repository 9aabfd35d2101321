"""Decodes the JPEGs that nearly all pictures are by libjpeg-turbo's own interface, where Pillow copies each twice.

Both carry libjpeg-turbo and decode alike, to the byte. Pillow has read the header before, and decodes whatever is
not plainly in order: so it alone says which files are refused, and with which words.
"""

from __future__ import annotations

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import ImageFile

SMALLEST_REDUCED = 16  # pixels; a smaller picture has the same size at several of libjpeg-turbo's scales


def decode_jpeg(data: bytes, image: ImageFile.ImageFile, whole: tuple[int, int]) -> NDArray[np.uint8] | None:
    """Return the pixels (h, w, 3) uint8, RGB, of a JPEG that Pillow has opened, in the size that it is set to.

    whole: width and height as the file has them. None: Pillow is to decode it, because it is CMYK, or damaged, or
    the two libraries do not read the same size.
    """
    width, height = image.size
    reduced = image.size != whole
    if image.mode not in {"RGB", "L"} or (reduced and max(whole) < SMALLEST_REDUCED):
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
