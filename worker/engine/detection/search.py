"""Where faces are looked for, and how small: one policy and one setting.

`MIN_FACE_SIZE` is the smallest face to look for, in pixels of the picture. It holds as long as the search stays
within a budget of pixels and grows with the picture's side beyond, so that a 12-megapixel photograph costs what
a two-megapixel one does, in time and in memory.

- `hog`: dlib's HOG detector, as face_recognition has it. At the default of 40 pixels and up to 1920 x 1200 its
  boxes are exactly those of the library's defaults.
- `cnn`: dlib's CNN detector, on half as many pixels, because each costs it some 220 bytes of memory: at most
  1 GB. At the default of 40 pixels the smallest face grows from 1.15 megapixels on.
- `auto`: HOG; where it finds nothing, the CNN once more, which sees turned, dark and half-hidden faces that HOG
  does not. So `auto` never finds fewer than `hog`. The second look is for faces of a fifth of the picture's width
  and more, because a picture without any face pays for it in full.

The operator's own detector (`DETECTOR_MODEL`) is searched with alone, on as many pixels as the CNN.

The CNN is never first, not even where bfloat16 makes it cheap: with AMX it costs as much as HOG on as many pixels,
but its window on an undoubled picture is 80 pixels, and on a doubled one it costs four times as much. Of 89 faces
in group photographs it found 32 undoubled, where HOG found 87. What it sees better, the second look gives.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from PIL import Image

from worker.engine.types import Box, Detection, Pixels

HOG_PIXELS = 4 * 1920 * 1200  # a doubled picture of 1920 x 1200
NETWORK_PIXELS = HOG_PIXELS // 2
SECOND_LOOK_PIXELS = (
    500_000  # a face of 80 pixels is then a ninth of a picture's width: not in the background
)
SECOND_LOOK_FACE = 80


class Finder(Protocol):
    """A detector of faces of about `window` pixels and more, of half that for each doubling."""

    name: str
    window: int

    def detect(self, pixels: Pixels, upsample: int) -> list[Detection]:
        """Find faces, most certain first, in a picture doubled `upsample` times; boxes are those of the picture."""
        ...


@dataclass(frozen=True)
class Look:
    """One search: a finder, the smallest face looked for, the most pixels that the finder is given to search."""

    finder: Finder
    smallest: int
    most: int

    @property
    def doublings(self) -> int:
        """How often a picture is doubled so that the finder sees the smallest face."""
        return max(0, math.ceil(math.log2(self.finder.window / self.smallest)))

    def reduction(self, area: float) -> float:
        """The size to search a picture of so many pixels at, 1 or below, before it is doubled."""
        doubled = 1 << self.doublings
        return min(1.0, self.finder.window / doubled / self.smallest, math.sqrt(self.most / area) / doubled)

    def find(self, pixels: Pixels, scale: float) -> list[Detection]:
        """Find the faces of a picture decoded at 1/scale of its size; boxes are those of `pixels`, and within."""
        height, width = pixels.shape[:2]
        wanted = scale * self.reduction(width * height * scale * scale)
        reduced = _resized(pixels, wanted) if wanted < 1 else pixels
        found = self.finder.detect(reduced, self.doublings)
        back = width / reduced.shape[1]
        return [Detection(_enlarged(d.box, back).within(width, height), d.score, d.detector) for d in found]


class Search:
    """Looks for faces until some are found. Belongs to one thread."""

    def __init__(self, looks: Sequence[Look]) -> None:
        self._looks = looks

    def useful(self, width: int, height: int) -> int:
        """The longer side of the picture that is searched, in pixels, for a picture of this size."""
        return math.ceil(max(width, height) * max(look.reduction(width * height) for look in self._looks))

    def find(self, pixels: Pixels, scale: float = 1.0) -> list[Detection]:
        """Find the faces of a picture that was decoded at 1/scale of its size; boxes are those of `pixels`."""
        for look in self._looks:
            if found := look.find(pixels, scale):
                return found
        return []


def auto(smallest: int, *, hog: Finder, cnn: Finder) -> list[Look]:
    """HOG; where it finds nothing, the CNN."""
    return [by_hog(smallest, hog), Look(cnn, max(SECOND_LOOK_FACE, smallest), SECOND_LOOK_PIXELS)]


def by_hog(smallest: int, hog: Finder) -> Look:
    """HOG alone."""
    return Look(hog, smallest, HOG_PIXELS)


def by_network(smallest: int, network: Finder) -> Look:
    """The CNN, or the operator's own detector, alone."""
    return Look(network, smallest, NETWORK_PIXELS)


def _resized(pixels: Pixels, factor: float) -> Pixels:
    height, width = pixels.shape[:2]
    size = max(1, round(width * factor)), max(1, round(height * factor))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0))


def _enlarged(box: Box, factor: float) -> Box:
    return box if factor == 1 else box.scaled(factor)
