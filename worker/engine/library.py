"""face_recognition itself as an engine: the plainest one, and what ours can be held against on any pictures.

Boxes and encodings are the library's own. It has no other models, landmarks or attributes than its defaults.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from importlib.util import find_spec
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ImageFile

from faces.config import Settings
from faces.errors import SettingError
from worker.engine import models
from worker.engine.alignment.chips import PREDICTOR, Chipper, load_chipper
from worker.engine.crops import crop
from worker.engine.quality import Bar, measure
from worker.engine.types import Box, Detection, Face, Pixels, Stage, View

NAME = "face_recognition"
_WITHOUT = ("detector_model", "min_face_size", "landmarks", "age_gender_model")
_FILES = {
    "pose_predictor_model_location": PREDICTOR,  # not the 68 points, whose licence excludes commercial use
    "pose_predictor_five_point_model_location": PREDICTOR,
    "cnn_face_detector_model_location": models.DETECTOR.file,
    "face_recognition_model_location": models.ENCODER.file,
}


class Library:
    """Finds and encodes faces with face_recognition's functions. It belongs to one thread.

    Raises:
        SettingError: the library is not installed, or has nothing for one of the settings.
    """

    def __init__(self, settings: Settings) -> None:
        _check(settings)
        self._library = load_library()
        self._detector = "cnn" if settings.detector == "cnn" else "hog"
        self._crops = settings.keeps_crops
        self._bar = Bar(settings.min_indexed_size)
        self._chipper: Chipper = load_chipper()  # for the quality alone

    @property
    def model(self) -> str:
        """Name of what makes the encodings: the library has one model."""
        return models.PLAIN

    def useful(self, width: int, height: int) -> int:
        """Every pixel: the library searches pictures whole."""
        return max(width, height)

    def find(self, pictures: Iterable[View], stage: Stage = nullcontext) -> list[list[Face]]:
        """Find and encode the faces of each picture, in the library's order."""
        return [self._find(picture.pixels, stage) for picture in pictures]

    def encode(self, pixels: Pixels, boxes: Sequence[Box]) -> NDArray[np.float32]:
        """Encode faces whose places in a picture are known; (n, 128)."""
        places = [(box.top, box.right, box.bottom, box.left) for box in boxes]
        encodings = self._library.face_encodings(pixels, places) if places else []
        return np.array(encodings, np.float32).reshape(-1, 128)

    def _find(self, pixels: Pixels, stage: Stage) -> list[Face]:
        with stage("detect"):
            boxes = [_box(one) for one in self._locate(pixels)]
        with stage("encode"):
            encodings = self.encode(pixels, boxes)
        return [self._face(pixels, box, encoding) for box, encoding in zip(boxes, encodings, strict=True)]

    def _locate(self, pixels: Pixels) -> list[tuple[int, int, int, int]]:
        places: list[tuple[int, int, int, int]] = self._library.face_locations(pixels, model=self._detector)
        return places

    def _face(self, pixels: Pixels, box: Box, encoding: NDArray[np.float32]) -> Face:
        detection = Detection(box, 0.0, f"{NAME}-{self._detector}")  # the library tells no score
        quality = measure(self._chipper.cut(pixels, box), detection, 1.0)
        return Face(
            box,
            encoding,
            detection.detector,
            quality,
            self._bar.reason(quality),
            crop=crop(pixels, box) if self._crops else None,
        )


def _box(place: tuple[int, int, int, int]) -> Box:
    top, right, bottom, left = place
    return Box(left, top, right, bottom)


def _check(settings: Settings) -> None:
    if settings.model != models.PLAIN:
        raise SettingError(
            f"ENGINE is {NAME}, which has one model only: set MODEL={models.PLAIN}, not {settings.model}"
        )
    plain = Settings()
    for name in _WITHOUT:
        if getattr(settings, name) != getattr(plain, name):
            raise SettingError(
                f"ENGINE is {NAME}, which has no {name.upper()}: unset it, or choose ENGINE=auto"
            )


def load_library() -> Any:
    """Import face_recognition without what its import does to a process.

    It would quit the process where its models or pkg_resources are missing, make Pillow accept truncated files for
    good, and read a model whose licence excludes commercial use.

    Raises:
        SettingError: it is not installed.
    """
    if find_spec(NAME) is None:
        raise SettingError(
            f"ENGINE is {NAME}, which is not installed: pip install --no-deps face-recognition==1.3.0"
        )
    with _own_models(), _pillow_unchanged():
        try:
            return importlib.import_module(NAME)
        except SystemExit as error:
            raise SettingError(f"{NAME} cannot be imported: it does not find its models") from error


@contextmanager
def _own_models() -> Iterator[None]:
    """Stand in for the package face_recognition_models, which newer setuptools cannot import any more."""
    name = "face_recognition_models"
    before = sys.modules.get(name)
    module = ModuleType(name)
    for function, file in _FILES.items():
        path = str(models.source(file))
        setattr(module, function, lambda path=path: path)
    sys.modules[name] = module
    try:
        yield
    finally:
        del sys.modules[name]
        if before is not None:
            sys.modules[name] = before


@contextmanager
def _pillow_unchanged() -> Iterator[None]:
    truncated = ImageFile.LOAD_TRUNCATED_IMAGES
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = truncated
