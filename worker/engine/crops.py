"""The crop of a face, cut from the pixels that it was found in."""

from __future__ import annotations

import numpy as np
from PIL import Image

from faces.image_store.crops import CROP_SIDE, area, shrunk
from worker.engine.types import Box, Pixels


def crop(pixels: Pixels, box: Box) -> bytes:
    """A face with a margin around it as a JPEG, its longer side at most `CROP_SIDE` pixels."""
    height, width = pixels.shape[:2]
    left, top, right, bottom = area((box.left, box.top, box.right, box.bottom), width, height)
    return shrunk(Image.fromarray(np.ascontiguousarray(pixels[top:bottom, left:right])), CROP_SIDE)
