"""Crops: each face of a picture with a margin around it, as a small JPEG; those of one picture in one file.

The file is a zip without compression, so that anybody can look into it: `0.jpg` is the picture's face 0.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence

from PIL import Image

CROP_SIDE = 160  # pixels of a stored crop's longer side, at most
MARGIN = 0.3  # of a face's box, on each side
QUALITY = 85  # of JPEG

Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""


def area(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """The part of a picture of this size that shows a face with its margin; never empty."""
    left, top, right, bottom = box
    across, down = (right - left) * MARGIN, (bottom - top) * MARGIN
    left, top = min(width - 1, max(0, round(left - across))), min(height - 1, max(0, round(top - down)))
    right, bottom = max(left + 1, round(right + across)), max(top + 1, round(bottom + down))
    return left, top, min(width, right), min(height, bottom)


def cut(image: Image.Image, box: Box, size: int) -> bytes:
    """A face with its margin as a JPEG, its longer side at most `size` pixels; nothing is enlarged."""
    return shrunk(image.crop(area(box, image.width, image.height)), size)


def shrunk(image: Image.Image, size: int) -> bytes:
    """A picture as a JPEG, its longer side at most `size` pixels."""
    image.thumbnail((size, size))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()


def pack(crops: Sequence[bytes]) -> bytes:
    """Put the crops of a picture into one file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for index, crop in enumerate(crops):
            archive.writestr(zipfile.ZipInfo(_name(index)), crop)
    return file.getvalue()


def unpack(packed: bytes, index: int) -> bytes | None:
    """Take one crop out; None if it is not there, or the file is damaged."""
    try:
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            return archive.read(_name(index))
    except (KeyError, zipfile.BadZipFile):
        return None


def _name(index: int) -> str:
    return f"{index}.jpg"
