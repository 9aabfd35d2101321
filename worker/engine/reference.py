"""The reference: what `face_recognition.face_encodings(picture)` gives with its defaults, by dlib itself.

The library's own module is not imported: it loads four models at import, one of which may not be used
commercially, and makes Pillow accept truncated files in the whole process.
"""

from __future__ import annotations

from collections.abc import Sequence

import dlib
import numpy as np

from worker.engine.faces import Box, Face, Pixels
from worker.engine.models import source

MODEL = "dlib-resnet-v1"
UPSAMPLE = 1


class ReferenceEngine:
    """dlib's HOG detector, 5-point landmarks and ResNet."""

    model = MODEL

    def __init__(self) -> None:
        self._detect = dlib.get_frontal_face_detector()
        self._landmarks = dlib.shape_predictor(str(source("shape_predictor_5_face_landmarks.dat")))
        self._encoder = dlib.face_recognition_model_v1(
            str(source("dlib_face_recognition_resnet_model_v1.dat"))
        )

    def find(self, pictures: Sequence[Pixels]) -> list[list[Face]]:
        """Find and encode the faces of each picture, in the detector's order: best first."""
        return [self._faces(pixels) for pixels in pictures]

    def _faces(self, pixels: Pixels) -> list[Face]:
        return [self._face(pixels, rectangle) for rectangle in self._detect(pixels, UPSAMPLE)]

    def _face(self, pixels: Pixels, rectangle: dlib.rectangle) -> Face:
        # face_recognition trims boxes only on the way out; landmarks are placed in the untrimmed box
        landmarks = self._landmarks(pixels, rectangle)
        encoding = self._encoder.compute_face_descriptor(pixels, landmarks)
        box = Box(rectangle.left(), rectangle.top(), rectangle.right(), rectangle.bottom())
        return Face(box, np.array(encoding, dtype=np.float32))
