"""The engine: search, chips, quality, encodings; several pictures at once."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from faces.config import Settings
from worker.engine.alignment.chips import Chip, Chipper, load_chipper
from worker.engine.attributes.estimators import Estimator, Landmarks68, load_age_gender
from worker.engine.crops import crop
from worker.engine.detection.cnn import load_detector
from worker.engine.detection.custom_detector import OperatorsDetector
from worker.engine.detection.detectors import Cnn, load_hog
from worker.engine.detection.search import Look, Search, auto, by_hog, by_network
from worker.engine.encoder import Encoder, load_encoder
from worker.engine.quality import Bar, measure
from worker.engine.types import Box, Detection, Face, Pixels, Stage, View

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


@dataclass(frozen=True, eq=False)
class Sight:
    """A face's chip, the pixels it was cut from (the picture at 1/scale), and its box in them."""

    pixels: Pixels
    scale: float
    detection: Detection
    chip: Chip


Landmarks: TypeAlias = Callable[[Sight], NDArray[np.float64]]
"""Returns the landmarks of a face, in the pixels it was cut from."""


@dataclass(frozen=True, kw_only=True)
class FaceEngine:
    """Finds, judges and encodes faces. Belongs to one thread."""

    search: Search
    chipper: Chipper
    encoder: Encoder
    bar: Bar
    landmarks: Landmarks | None = None
    age_gender: Estimator | None = None
    crops: bool = False

    @property
    def model(self) -> str:
        """Name of what makes the encodings."""
        return self.encoder.model

    def useful(self, width: int, height: int) -> int:
        """The longer side of the picture that is searched, in pixels, for a picture of this size."""
        return self.search.useful(width, height)

    def find(self, pictures: Iterable[View], stage: Stage = nullcontext) -> list[list[Face]]:
        """Find and encode the faces of each picture, most certain first; all chips in one call of the encoder."""
        faces = [self._search(picture, stage) for picture in pictures]
        chips = [face.chip.pixels for some in faces for face in some]
        with stage("encode"):
            encodings = iter(self.encoder.encode(np.stack(chips)) if chips else ())
        return [[self._face(face, next(encodings)) for face in some] for some in faces]

    def _search(self, picture: View, stage: Stage) -> list[Sight]:
        with stage("detect"):
            found = self.search.find(picture.pixels, picture.scale)
        return self._cut(picture, found)

    def encode(self, pixels: Pixels, boxes: Sequence[Box]) -> NDArray[np.float32]:
        """Encode faces whose places in a picture are known; (n, 128)."""
        chips = [self.chipper.cut(pixels, box).pixels for box in boxes]
        return self.encoder.encode(np.stack(chips)) if chips else np.empty((0, 128), np.float32)

    def _cut(self, picture: View, found: Sequence[Detection]) -> list[Sight]:
        pixels, scale = picture.pixels, picture.scale
        if scale > 1 and any(detection.box.size < SHARP_CHIP for detection in found):
            found = [replace(detection, box=detection.box.scaled(scale)) for detection in found]
            pixels, scale = picture.whole(), 1.0
        return [Sight(pixels, scale, one, self.chipper.cut(pixels, one.box)) for one in found]

    def _face(self, sight: Sight, encoding: NDArray[np.float32]) -> Face:
        detection = sight.detection
        quality = measure(sight.chip, detection, sight.scale)
        return Face(
            detection.box.scaled(sight.scale),
            encoding,
            detection.detector,
            quality,
            self.bar.reason(quality),
            landmarks=_rounded(self.landmarks(sight) * sight.scale) if self.landmarks else None,
            traits=self.age_gender.estimate(sight.pixels, detection.box) if self.age_gender else None,
            crop=crop(sight.pixels, detection.box) if self.crops else None,
        )


def load(settings: Settings) -> FaceEngine:
    """Load and self-test the engine that the settings ask for.

    Raises:
        SettingError: a model file, the cache or a setting cannot be used.
        MismatchError: a self-test failed; a broken runtime must not fill the database.
    """
    cache = Path(settings.model_cache)
    encoder, runs = load_encoder(cache, model=settings.model, engine=settings.engine)
    log.info("encoder %s: %s", encoder.model, runs)
    age_gender = settings.age_gender_model
    return FaceEngine(
        search=Search(_looks(settings, cache)),
        chipper=load_chipper(),
        encoder=encoder,
        bar=Bar(settings.min_indexed_size),
        landmarks=_LANDMARKS[settings.landmarks](),
        age_gender=load_age_gender(age_gender) if age_gender else None,
        crops=settings.keeps_crops,
    )


def _looks(settings: Settings, cache: Path) -> list[Look]:
    smallest = settings.min_face_size
    if settings.detector_model:
        log.info("detector: %s", settings.detector_model)
        return [by_network(smallest, OperatorsDetector(Path(settings.detector_model)))]
    if settings.detector == "hog":
        return [by_hog(smallest, load_hog())]
    network, runs = load_detector(cache, engine=settings.engine)
    log.info("CNN detector: %s", runs)
    cnn = Cnn(network)
    return (
        auto(smallest, hog=load_hog(), cnn=cnn)
        if settings.detector == "auto"
        else [by_network(smallest, cnn)]
    )


def _five() -> Landmarks:
    return lambda sight: sight.chip.landmarks


def _sixty_eight() -> Landmarks:
    predictor = Landmarks68()
    return lambda sight: predictor.find(sight.pixels, sight.detection.box)


_LANDMARKS: dict[str, Callable[[], Landmarks | None]] = {
    "none": lambda: None,
    "5": _five,
    "68": _sixty_eight,
}


def _rounded(landmarks: NDArray[np.float64]) -> tuple[tuple[int, int], ...]:
    return tuple((round(x), round(y)) for x, y in landmarks.tolist())
