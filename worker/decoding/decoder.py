"""Decodes untrusted bytes to upright RGB pixels, or raises a `PictureError` that says what is wrong."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from faces.formats.header import identify, open_header, undecodable
from faces.formats.limits import Limits
from worker.decoding.fast_jpeg import decode_jpeg
from worker.decoding.orientation import SIDEWAYS, orientation, upright_pixels

Useful: TypeAlias = Callable[[int, int], int]
"""Takes a picture's width and height and returns how many pixels on the longer side are useful at most."""


@dataclass(frozen=True)
class Picture:
    """A decoded picture, upright.

    `pixels` is (h, w, 3) uint8, sRGB, C-contiguous and writable. `width` and `height` are the whole picture's,
    upright, in pixels; where it was decoded at reduced size, `pixels` is smaller by `scale`: a position in
    `pixels` times `scale` is the position in the whole picture.
    """

    pixels: NDArray[np.uint8]
    width: int
    height: int
    format: str
    scale: float = 1.0


def decode(data: bytes, *, limits: Limits, useful: Useful = max) -> Picture:
    """Decode a picture; of an animation, the first frame.

    Transparency is dropped, as face_recognition drops it. An embedded colour profile is applied; one that is
    unusable is ignored. Where not all pixels are `useful`, a JPEG is decoded at 1/2, 1/4 or 1/8 of its size if
    that does not fall below: JPEG's transform does so at a fraction of the cost. Other formats are decoded in
    full.

    Raises:
        PictureError: as `check_header`, and `truncated` or `damaged` where the pixels cannot be decoded.
    """
    name = identify(data, limits)
    with open_header(data, name, limits) as image:
        width, height = image.size
        scale = _reduce(image, useful(width, height))
        try:
            pixels, turn = _decoded(data, name, image, (width, height))
        except MemoryError:
            raise  # the limits allow this size; the caller decides whose fault it is
        except Exception as error:  # a parser of hostile bytes may raise anything
            raise undecodable(f"the {name} picture of {width}x{height} pixels", error) from error
    if turn in SIDEWAYS:
        width, height = height, width
    return Picture(pixels, width, height, name, scale)


def _decoded(
    data: bytes, name: str, image: ImageFile.ImageFile, whole: tuple[int, int]
) -> tuple[NDArray[np.uint8], int]:
    """Return the upright pixels, and the orientation that they were stored in."""
    pixels = decode_jpeg(data, image, whole) if name == "JPEG" else None
    if pixels is None:
        image.load()
    turn = orientation(image)
    profile = image.info.get("icc_profile")
    if pixels is None:
        return upright_pixels(image, turn, profile), turn
    if turn == 1 and not profile:
        return pixels, turn
    loaded = Image.fromarray(pixels)
    del pixels  # as large as the picture, and copied
    return upright_pixels(loaded, turn, profile), turn


def _reduce(image: ImageFile.ImageFile, longest_useful: int) -> float:
    """Set a JPEG to decode at 1/scale of its size; return the scale."""
    width, height = image.size
    factor = next((factor for factor in (8, 4, 2) if max(width, height) // factor >= longest_useful), 1)
    drafted = image.draft(None, (max(1, width // factor), max(1, height // factor)))
    return width / drafted[1][2] if drafted else 1.0
