"""Where faces are looked for, and how small: one policy and one setting.

`SMALLEST_FACE` is the smallest face to look for, in pixels of the picture. It holds up to two megapixels and
grows with the picture's side beyond, so that a 12-megapixel photograph costs what a two-megapixel one does.

- `hog`: dlib's HOG detector, as face_recognition has it. At the default of 40 pixels and up to two megapixels
  its boxes are exactly the library's.
- `cnn`: dlib's CNN detector at the same smallest face.
- `auto`: HOG; where it finds nothing, the CNN once more, which sees turned, dark and half-hidden faces that HOG
  does not. So `auto` never finds fewer than `hog`.
"""

from __future__ import annotations

import math
from typing import Protocol

import numpy as np
from PIL import Image

from worker.engine.faces import Box, Detection, Pixels

DETECTORS = ("auto", "hog", "cnn")
FULL_SEARCH = 2_000_000  # pixels: pictures up to this size are searched for the smallest face as set
HOG_WINDOW = CNN_WINDOW = 80  # pixels: what either detector finds without upsampling
FALLBACK_FACE = 80  # pixels in two megapixels: what HOG misses of larger faces is worth a second look


class Finder(Protocol):
    """A detector of faces of about `window` pixels and more, of half that for each doubling."""

    name: str

    def detect(self, pixels: Pixels, upsample: int) -> list[Detection]:
        """Find faces, the surest first, in a picture doubled `upsample` times; boxes are those of the picture."""
        ...


class Search:
    """Finds faces by a policy. It belongs to one thread."""

    def __init__(self, policy: str, smallest: int, *, hog: Finder, cnn: Finder) -> None:
        self._policy = policy
        self._smallest = smallest
        self._hog = hog
        self._cnn = cnn

    def useful(self, width: int, height: int) -> int:
        """The longer side of the picture that is searched, in pixels, for a picture of this size."""
        return math.ceil(max(width, height) * _reduction(self._smallest, width * height))

    def find(self, pixels: Pixels, scale: float = 1.0) -> list[Detection]:
        """Find the faces of a picture that was decoded at 1/scale of its size; boxes are those of `pixels`."""
        if self._policy == "cnn":
            return self._with(self._cnn, self._smallest, pixels, scale)
        found = self._with(self._hog, self._smallest, pixels, scale)
        if found or self._policy == "hog":
            return found
        return self._with(self._cnn, max(FALLBACK_FACE, self._smallest), pixels, scale)

    def _with(self, finder: Finder, smallest: int, pixels: Pixels, scale: float) -> list[Detection]:
        height, width = pixels.shape[:2]
        wanted = scale * _reduction(smallest, int(width * height * scale * scale))
        reduced = _resized(pixels, wanted) if wanted < 1 else pixels
        found = finder.detect(reduced, _doublings(smallest))
        back = width / reduced.shape[1]
        return [Detection(_enlarged(d.box, back), d.score, d.detector) for d in found]


def _doublings(smallest: int) -> int:
    """How often a picture is doubled so that a detector sees a face of this size."""
    return max(0, math.ceil(math.log2(HOG_WINDOW / smallest)))


def _reduction(smallest: int, area: int) -> float:
    """The size to search a picture of so many pixels at, 1 or below, before it is doubled."""
    wanted = smallest * max(1.0, math.sqrt(area / FULL_SEARCH))
    return float(min(1.0, HOG_WINDOW / 2 ** _doublings(smallest) / wanted))


def _resized(pixels: Pixels, factor: float) -> Pixels:
    height, width = pixels.shape[:2]
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))


def _enlarged(box: Box, factor: float) -> Box:
    return box if factor == 1 else box.scaled(factor)
