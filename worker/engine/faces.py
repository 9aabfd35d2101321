"""What an engine gives, and what a worker asks of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
"""An upright picture, shape (height, width, 3), RGB."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels; right and bottom belong to it, as in dlib. It may stick out of the picture."""

    left: int
    top: int
    right: int
    bottom: int

    def scaled(self, factor: float) -> Box:
        """The same rectangle in a picture larger by a factor."""
        return Box(*(round(side * factor) for side in (self.left, self.top, self.right, self.bottom)))


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face found: where, and its encoding, float32 of shape (128,)."""

    box: Box
    encoding: NDArray[np.float32]


class Engine(Protocol):
    """Finds and encodes faces. An instance belongs to one thread."""

    @property
    def model(self) -> str:
        """Name of what makes the encodings: those of different models are never compared."""
        ...

    def find(self, pictures: Sequence[Pixels]) -> list[list[Face]]:
        """Find and encode the faces of each picture."""
        ...
