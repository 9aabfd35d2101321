"""The engine's input and output types."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""An upright picture, shape (height, width, 3), RGB."""


Stage = Callable[[str], AbstractContextManager[object]]
"""Times a stage of the work, `detect` or `encode`."""


class View(Protocol):
    """A picture as the engine sees it: possibly decoded at reduced size, with the full size available."""

    @property
    def pixels(self) -> Pixels:
        """The picture, possibly reduced."""
        ...

    @property
    def scale(self) -> float:
        """Factor from positions in `pixels` to positions in the whole picture."""
        ...

    def whole(self) -> Pixels:
        """The picture at full size; decodes it again where it was reduced."""
        ...


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels; right and bottom are inclusive, as in dlib."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def size(self) -> int:
        """The longer side, in pixels."""
        return max(self.right - self.left, self.bottom - self.top) + 1

    def scaled(self, factor: float) -> Box:
        """The same rectangle in a picture larger by a factor."""
        return Box(*(round(side * factor) for side in (self.left, self.top, self.right, self.bottom)))

    def within(self, width: int, height: int) -> Box:
        """Clip to a picture of this size, as face_recognition does with boxes at an edge."""
        return Box(max(self.left, 0), max(self.top, 0), min(self.right, width), min(self.bottom, height))


@dataclass(frozen=True, slots=True)
class Detection:
    """A detected face: its box, the detector's own score, and the detector's name."""

    box: Box
    score: float
    detector: str


@dataclass(frozen=True, slots=True)
class Quality:
    """How well a face can be recognised: see `worker.engine.quality` for what each number means."""

    size: int
    sharpness: float
    pose: float
    score: float


@dataclass(frozen=True, slots=True)
class Traits:
    """Age in years and gender (`female` or `male`) estimated from a face; None: not estimated."""

    age: int | None = None
    gender: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face: its box in the whole picture, its encoding, float32 of shape (128,), and its quality.

    `reason` says why the face is not indexed; None for one that is. `landmarks`, x and y in pixels of the whole
    picture, `traits` and `crop`, a small JPEG, are None unless requested.
    """

    box: Box
    encoding: NDArray[np.float32]
    detector: str
    quality: Quality
    reason: str | None = None
    landmarks: tuple[tuple[int, int], ...] | None = None
    traits: Traits | None = None
    crop: bytes | None = None


class Engine(Protocol):
    """Finds and encodes faces. Belongs to one thread."""

    @property
    def model(self) -> str:
        """Name of the encoding model; encodings of different models are never compared."""
        ...

    def useful(self, width: int, height: int) -> int:
        """The largest useful longer side, in pixels, of a picture of this size."""
        ...

    def find(self, pictures: Iterable[View], stage: Stage = ...) -> list[list[Face]]:
        """Find and encode the faces of each picture, most certain first; `stage` may time that.

        Each picture is searched before the next one is taken.
        """
        ...

    def encode(self, pixels: Pixels, boxes: Sequence[Box]) -> NDArray[np.float32]:
        """Encode faces whose places in a picture are known; (n, 128)."""
        ...
