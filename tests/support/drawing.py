"""Pictures made in code: small, real files of each format, without a face."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image


def drawing(seed: int = 0, size: tuple[int, int] = (120, 90), kind: str = "JPEG") -> bytes:
    """A file with a smooth pattern; each seed gives another."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / (7 + seed % 5) + c) * np.cos(y / (5 + seed % 7) - c) for c in range(3)]
    pixels = (np.stack(waves, axis=-1) * 100 + 128 + seed % 27).astype(np.uint8)
    pixels[: 1 + seed % height, 0, 0] ^= 255
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()
