"""The engine: search, chips, quality, encodings; several pictures at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faces.config import Settings
from worker.engine.chips import Chip, Chipper
from worker.engine.cnn import load_detector
from worker.engine.encoder import Encoder, load_encoder
from worker.engine.faces import Detection, Face, View
from worker.engine.finders import Cnn, load_hog
from worker.engine.quality import Bar, measure
from worker.engine.search import Search, looks

SHARP_CHIP = 110
"""Pixels of a face's box in a picture decoded at reduced size: a smaller one's chip is cut from the whole picture.

How far the encoding moves when the chip is cut from a reduced picture (47 faces, pixels of the face when reduced):

| pixels | 40 | 60 | 80 | 100 | 110 | 130 | 180 |
|---|---|---|---|---|---|---|---|
| mean distance | 0.26 | 0.17 | 0.12 | 0.09 | 0.08 | 0.07 | 0.05 |
| largest | 0.34 | 0.23 | 0.16 | 0.14 | 0.12 | 0.11 | 0.08 |

Rounding a box to other pixels alone moves it by 0.04; two pictures of one person are 0.44 apart.
"""

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class FaceEngine:
    """Finds, judges and encodes faces. It belongs to one thread."""

    search: Search
    chipper: Chipper
    encoder: Encoder
    bar: Bar

    @property
    def model(self) -> str:
        """Name of what makes the encodings."""
        return self.encoder.model

    def useful(self, width: int, height: int) -> int:
        """The longer side of the picture that is searched, in pixels, for a picture of this size."""
        return self.search.useful(width, height)

    def find(self, pictures: Sequence[View]) -> list[list[Face]]:
        """Find and encode the faces of each picture, the surest first; all chips in one call of the encoder."""
        found = [self.search.find(picture.pixels, picture.scale) for picture in pictures]
        chips = [self._cut(picture, faces) for picture, faces in zip(pictures, found, strict=True)]
        flat = [chip.pixels for some in chips for chip in some]
        encodings = iter(self.encoder.encode(np.stack(flat)) if flat else ())
        return [
            [self._face(p, d, c, next(encodings)) for d, c in zip(faces, cut, strict=True)]
            for p, faces, cut in zip(pictures, found, chips, strict=True)
        ]

    def _cut(self, picture: View, faces: Sequence[Detection]) -> list[Chip]:
        reduced = picture.scale > 1 and any(face.box.size < SHARP_CHIP for face in faces)
        pixels = picture.whole() if reduced else picture.pixels
        factor = picture.scale if reduced else 1.0
        return [self.chipper.cut(pixels, face.box.scaled(factor)) for face in faces]

    def _face(self, picture: View, detection: Detection, chip: Chip, encoding: NDArray[np.float32]) -> Face:
        quality = measure(chip, detection, picture.scale)
        box = detection.box.scaled(picture.scale)
        return Face(box, encoding, detection.detector, quality, self.bar.reason(quality))


def load(settings: Settings) -> FaceEngine:
    """Load the engine that the settings ask for; it has passed its self-tests.

    Raises:
        SettingError: a model file, the cache or a setting cannot be used.
        MismatchError: a self-test failed: a broken runtime must not fill the database.
    """
    cache = Path(settings.model_cache)
    threads = settings.engine_threads
    encoder, encoder_runs = load_encoder(cache, model=settings.model, engine=settings.engine, threads=threads)
    cnn, cnn_runs = load_detector(cache, engine=settings.engine, threads=threads)
    log.info("encoder %s: %s", encoder.model, encoder_runs)
    log.info("CNN detector: %s", cnn_runs)
    search = Search(looks(settings.detector, settings.smallest_face, hog=load_hog(), cnn=Cnn(cnn)))
    bar = Bar(settings.least_size, settings.least_sharpness, settings.most_pose, settings.least_score)
    return FaceEngine(search=search, chipper=Chipper(), encoder=encoder, bar=bar)
