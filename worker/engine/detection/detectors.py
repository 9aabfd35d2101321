"""The detectors behind one interface."""

from __future__ import annotations

import logging
from typing import Any

from faces.errors import MismatchError
from worker.engine.conversion.networks import WINDOW
from worker.engine.detection.cnn import CnnDetector
from worker.engine.detection.hog import HogDetector
from worker.engine.detection.hog.weights import frontal_face_detector
from worker.engine.detection.search import Finder
from worker.engine.portrait import portrait
from worker.engine.types import Box, Detection, Pixels

SELF_TEST_SIDE = 200

log = logging.getLogger(__name__)


class Hog:
    """dlib's HOG detector in our kernel."""

    name = "hog"
    window = 80

    def __init__(self, detector: HogDetector) -> None:
        self._detector = detector

    def detect(self, pixels: Pixels, upsample: int) -> list[Detection]:
        """Find faces, most certain first."""
        return [_detection(self.name, d) for d in self._detector.detect(pixels, upsample)]


class DlibHog:
    """dlib's HOG detector in dlib itself: the same boxes, several times slower."""

    name = "hog"
    window = 80

    def __init__(self) -> None:
        self._detector = frontal_face_detector()

    def detect(self, pixels: Pixels, upsample: int) -> list[Detection]:
        """Find faces, most certain first."""
        rectangles, scores, _ = self._detector.run(pixels, upsample, 0.0)
        return [
            Detection(Box(r.left(), r.top(), r.right(), r.bottom()), score, self.name)
            for r, score in zip(rectangles, scores, strict=True)
        ]


class Cnn:
    """dlib's CNN detector in whatever runtime it was loaded in."""

    name = "cnn"
    window = WINDOW

    def __init__(self, detector: CnnDetector) -> None:
        self._detector = detector

    def detect(self, pixels: Pixels, upsample: int) -> list[Detection]:
        """Find faces, most certain first."""
        return [_detection(self.name, d) for d in self._detector.detect(pixels, upsample)]


def load_hog() -> Finder:
    """Our kernel; dlib's own detector where that cannot run, with a line in the log.

    Raises:
        MismatchError: the kernel runs but finds other faces than dlib.
    """
    try:
        finder = Hog(HogDetector())
        finder.detect(portrait(SELF_TEST_SIDE), 1)  # compiles, or loads what was compiled
    except Exception as error:  # noqa: BLE001 -- whatever a compiler says on a processor it does not know
        log.warning("the HOG kernel cannot run here; using dlib's own, which is slower: %s", error)
        return DlibHog()
    self_test(finder, DlibHog())
    return finder


def self_test(finder: Finder, reference: Finder) -> None:
    """Find the face in a drawn picture as the reference does, so that a worker with a wrong kernel does not start.

    Raises:
        MismatchError: other boxes are found, or none, or their scores differ by more than 1e-3.
    """
    for upsample in (0, 1):
        found, expected = (f.detect(portrait(SELF_TEST_SIDE), upsample) for f in (finder, reference))
        same = bool(found) and [d.box for d in found] == [d.box for d in expected]
        if not same or any(abs(f.score - e.score) > 1e-3 for f, e in zip(found, expected, strict=True)):
            raise MismatchError(
                f"the HOG detector's self-test found {found} and not {expected}: empty NUMBA_CACHE_DIR and start"
                " again; if that does not help, uninstall numba to use dlib's own detector"
            )


def _detection(name: str, found: Any) -> Detection:
    return Detection(Box(found.left, found.top, found.right, found.bottom), float(found.score), name)
