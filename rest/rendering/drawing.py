"""Pictures as people look at them: upright, small, with boxes around the faces, or one face alone."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PIL import Image, ImageDraw, ImageFont, ImageOps

from faces.formats.header import identify, open_header, undecodable
from faces.formats.limits import Limits
from faces.image_store import crops

LARGEST_SIDE = 4096  # pixels of what is drawn
MIME = {
    "JPEG": "image/jpeg",
    "PNG": "image/png",
    "GIF": "image/gif",
    "BMP": "image/bmp",
    "WEBP": "image/webp",
}
MIME |= {"TIFF": "image/tiff", "AVIF": "image/avif", "HEIC": "image/heic"}

Box = dict[str, Any]
"""`left`, `top`, `right`, `bottom` in pixels of the upright picture."""


@dataclass(frozen=True, slots=True)
class Mark:
    """What is drawn of a face; `landmarks` are x and y in pixels of the upright picture."""

    box: Box
    label: str
    colour: str
    landmarks: Sequence[tuple[int, int]] = ()


def media_type(data: bytes, limits: Limits) -> str:
    """The media type of a picture, by its first bytes.

    Raises:
        PictureError: it is not a picture of an accepted format.
    """
    return MIME[identify(data, limits)]


def thumbnail(data: bytes, limits: Limits, size: int) -> bytes:
    """The picture upright as a JPEG whose longer side has at most `size` pixels.

    Raises:
        PictureError: it cannot be decoded.
    """
    return crops.shrunk(_upright(data, limits, size), size)


def annotated(data: bytes, limits: Limits, marks: Sequence[Mark], size: int | None) -> bytes:
    """The picture upright as a JPEG, with what was found in it.

    Raises:
        PictureError: it cannot be decoded.
    """
    image = _upright(data, limits)
    whole = image.width
    image.thumbnail((size or LARGEST_SIDE,) * 2)
    scale = image.width / whole
    draw = ImageDraw.Draw(image)
    for mark in marks:
        _draw(draw, mark, scale, max(2, round(max(image.size) / 400)))
    return crops.shrunk(image, LARGEST_SIDE)


def crop(data: bytes, limits: Limits, box: Box, size: int | None) -> bytes:
    """A face with a margin around it, upright, as a JPEG.

    Raises:
        PictureError: the picture cannot be decoded.
    """
    sides = (box["left"], box["top"], box["right"], box["bottom"])
    return crops.cut(_upright(data, limits), sides, size or LARGEST_SIDE)


def smaller(jpeg: bytes, size: int) -> bytes:
    """A crop that was stored, its longer side at most `size` pixels."""
    with Image.open(io.BytesIO(jpeg), formats=("JPEG",)) as image:
        return jpeg if max(image.size) <= size else crops.shrunk(image, size)


def _upright(data: bytes, limits: Limits, size: int | None = None) -> Image.Image:
    """Decode a picture to upright RGB; a JPEG of which less is needed is decoded at a fraction of its size."""
    name = identify(data, limits)
    with open_header(data, name, limits) as image:
        try:
            if size is not None:
                image.draft("RGB", (size, size))
            image.load()
            return (ImageOps.exif_transpose(image) or image).convert("RGB")
        except MemoryError:
            raise
        except Exception as error:  # a parser of hostile bytes raises whatever it runs into
            raise undecodable("the picture", error) from error


def _draw(draw: ImageDraw.ImageDraw, mark: Mark, scale: float, width: int) -> None:
    left, top, right, bottom = (mark.box[side] * scale for side in ("left", "top", "right", "bottom"))
    draw.rectangle((left, top, max(left, right), max(top, bottom)), outline=mark.colour, width=width)
    for x, y in mark.landmarks:
        draw.ellipse(
            (x * scale - width, y * scale - width, x * scale + width, y * scale + width), fill=mark.colour
        )
    font = ImageFont.load_default(max(12, width * 6))
    text = draw.textbbox((left, top), mark.label, font=font, anchor="lb")
    draw.rectangle(text, fill=mark.colour)
    draw.text((left, top), mark.label, fill="white", font=font, anchor="lb")
