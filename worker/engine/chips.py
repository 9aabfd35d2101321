"""From a box to an upright chip of the face: dlib's five landmarks, and what the encoder is given."""

from __future__ import annotations

from dataclasses import dataclass

import dlib
import numpy as np
from numpy.typing import NDArray

from worker.engine import models
from worker.engine.faces import Box, Pixels
from worker.engine.networks import CHIP

PADDING = 0.25  # of the chip's side around the face, as face_recognition has it


@dataclass(frozen=True, slots=True, eq=False)
class Chip:
    """A face cut out upright, (150, 150, 3), and its landmarks, (5, 2) x and y in pixels of the picture.

    Landmarks, as dlib numbers them: outer and inner corner of the left eye of the picture's right side, then of
    the other eye, and the point under the nose.
    """

    pixels: NDArray[np.uint8]
    landmarks: NDArray[np.float64]


class Chipper:
    """Cuts chips. It belongs to one thread."""

    def __init__(self) -> None:
        self._predictor = dlib.shape_predictor(str(models.source("shape_predictor_5_face_landmarks.dat")))

    def cut(self, pixels: Pixels, box: Box) -> Chip:
        """Cut the face in a box out of a picture."""
        rectangle = dlib.rectangle(box.left, box.top, box.right, box.bottom)
        shape = self._predictor(pixels, rectangle)
        chip = dlib.get_face_chip(pixels, shape, size=CHIP, padding=PADDING)
        return Chip(chip, np.array([(point.x, point.y) for point in shape.parts()], dtype=np.float64))
