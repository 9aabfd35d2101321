"""Pictures as files, each in the format that a test names."""

import io
from typing import Any

import pillow_heif
from numpy.typing import NDArray
from PIL import Image


def saved(pixels: NDArray[Any] | Image.Image, format: str = "PNG", **options: object) -> bytes:  # noqa: A002 - Pillow's word
    """Save a picture; `HEIC` needs a writer, which the fleet itself has no use for."""
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    stream = io.BytesIO()
    if format == "HEIC":
        pillow_heif.register_heif_opener()
    image.save(stream, {"HEIC": "HEIF"}.get(format, format), **options)
    return stream.getvalue()
