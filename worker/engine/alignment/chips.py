"""From a box to an upright chip of the face: dlib's five landmarks, and what the encoder is given."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any, Protocol

import dlib
import numpy as np
from numpy.typing import NDArray

from faces.errors import MismatchError, SettingError
from worker.engine import models
from worker.engine.alignment.extraction import Rectangle, extract
from worker.engine.alignment.landmarks import Landmarks
from worker.engine.conversion.networks import CHIP
from worker.engine.portrait import portrait
from worker.engine.types import Box, Pixels

PREDICTOR = "shape_predictor_5_face_landmarks.dat"
PADDING = 0.25  # of the chip's side around the face, as face_recognition has it

SELF_TEST_SIDE = 200
SELF_TESTS = (
    (1, Box(44, 56, 151, 163), ((126, 91), (112, 92), (72, 91), (87, 92), (99, 124))),
    (4, Box(176, 224, 607, 655), ((507, 365), (448, 368), (290, 364), (351, 368), (399, 497))),
)
"""How many times a drawn face is enlarged, where it is then, its landmarks. The large one is halved for a chip."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Chip:
    """A face cut out upright, (150, 150, 3), and its landmarks, (5, 2) x and y in pixels of the picture.

    Landmarks, as dlib numbers them: outer and inner corner of the left eye of the picture's right side, then of
    the other eye, and the point under the nose.
    """

    pixels: NDArray[np.uint8]
    landmarks: NDArray[np.float64]


class Chipper(Protocol):
    """Cuts chips. It belongs to one thread."""

    def cut(self, pixels: Pixels, box: Box) -> Chip:
        """Cut the face in a box, which may reach out of it, out of a picture."""
        ...


class KernelChipper:
    """dlib's landmarks and chips in our kernels.

    Raises SettingError where the predictor's file is missing or is something else.
    """

    def __init__(self) -> None:
        self._landmarks = Landmarks(models.source(PREDICTOR))

    def cut(self, pixels: Pixels, box: Box) -> Chip:
        """Cut the face in a box out of a picture."""
        pixels = np.require(pixels, np.uint8, ["C", "W"])  # compiled code knows one kind of array
        landmarks = self._landmarks.find(pixels, box)
        shape = _shape(landmarks.tolist())
        place = dlib.get_face_chip_details(shape, CHIP, PADDING)
        area = Rectangle(place.rect.left(), place.rect.top(), place.rect.right(), place.rect.bottom())
        return Chip(extract(pixels, area, place.angle), landmarks.astype(np.float64))


class DlibChipper:
    """dlib's landmarks and chips in dlib itself: the same, several times slower."""

    def __init__(self) -> None:
        self._predictor = dlib.shape_predictor(str(models.source(PREDICTOR)))

    def cut(self, pixels: Pixels, box: Box) -> Chip:
        """Cut the face in a box out of a picture."""
        shape = self._predictor(pixels, dlib.rectangle(box.left, box.top, box.right, box.bottom))
        landmarks = np.array([(point.x, point.y) for point in shape.parts()], np.float64)
        return Chip(_dlib_chip(pixels, shape), landmarks)


def load_chipper() -> Chipper:
    """Our kernels; dlib itself where they cannot run, with a line in the log.

    Raises:
        MismatchError: the kernels run, but make something else than dlib.
        SettingError: the predictor's file is missing or is something else.
    """
    try:
        chipper = KernelChipper()
        self_test(chipper)  # compiles, or loads what was compiled
    except (MismatchError, SettingError):
        raise
    except Exception as error:  # noqa: BLE001 -- whatever a compiler says on a processor it does not know
        log.warning("the landmarks' kernels cannot run here, dlib itself is used and is slower: %s", error)
        return DlibChipper()
    return chipper


def self_test(chipper: Chipper) -> None:
    """Cut a drawn face, small and large, as dlib does, so that a worker with wrong kernels does not start.

    Raises:
        MismatchError: the landmarks differ, or a chip differs by more than one grey level.
    """
    face = portrait(SELF_TEST_SIDE)
    for factor, box, landmarks in SELF_TESTS:
        picture = face.repeat(factor, axis=0).repeat(factor, axis=1)
        chip = chipper.cut(picture, box)
        found = tuple((int(x), int(y)) for x, y in chip.landmarks)
        apart = int(np.abs(chip.pixels.astype(int) - _dlib_chip(picture, _shape(landmarks))).max())
        if found != landmarks or apart > 1:
            raise MismatchError(
                f"the landmarks' self-test found {found} and not {landmarks}, and a chip {apart} grey levels from"
                " dlib's: empty NUMBA_CACHE_DIR and start again"
            )


def _shape(landmarks: Any) -> Any:
    return dlib.full_object_detection(dlib.rectangle(), [dlib.point(x, y) for x, y in landmarks])


def _dlib_chip(pixels: Pixels, shape: Any) -> NDArray[np.uint8]:
    chip: NDArray[np.uint8] = dlib.get_face_chip(pixels, shape, size=CHIP, padding=PADDING)
    return chip
