"""dlib's CNN face detector: the boxes of dlib.cnn_face_detection_model_v1, in another runtime.

Its window is 80 pixels, so smaller faces are found only with `upsample`, which doubles the picture each time.
Source: dlib 20.0's dnn/loss.h (loss_mmod_), image_processing/box_overlap_testing.h and
tools/python/src/cnn_face_detector.cpp.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from faces.errors import MismatchError
from worker.engine import models
from worker.engine.conversion.networks import OVERLAP, WINDOW
from worker.engine.detection.bilinear import doubled
from worker.engine.detection.canvas import MIN_CANVAS, STRIDE, Layout, layout, paint, to_picture
from worker.engine.portrait import portrait
from worker.engine.runtime.network import Network
from worker.engine.runtime.selection import Probe, load

FIRST_CENTRE = 14
"""Where the window of the first score has its centre, in pixels of the canvas: three strided kernels of 5 x 5."""


@dataclass(frozen=True)
class CnnDetection:
    """A face: corners in pixels, inclusive as in dlib.rectangle, maybe outside the picture; a score above 0."""

    left: int
    top: int
    right: int
    bottom: int
    score: float


SELF_TEST_SIDE = 320
SELF_TEST_FACE = CnnDetection(75, 77, 239, 241, 1.0355)
"""What dlib 20.0 itself finds in `portrait(SELF_TEST_SIDE)`."""

BOX_TOLERANCE = 17
"""Pixels: in bfloat16 the next window may win, which is 8 pixels away in a level of half the size."""

SCORE_TOLERANCE = 0.05
"""Twice what bfloat16 was seen to change in a score; a clear face scores about 1."""


class CnnDetector:
    """Finds faces with dlib's network in any runtime."""

    def __init__(self, network: Network) -> None:
        self._network = network

    def detect(self, pixels: NDArray[np.uint8], upsample: int = 0) -> list[CnnDetection]:
        """Return the faces in `pixels`, (h, w, 3) RGB or (h, w) grey, uint8; the highest score first.

        Raises:
            ValueError: `pixels` has another shape or type, or no pixel.
        """
        picture = _colour(pixels)
        for _ in range(upsample):
            picture = doubled(picture)
        plan = layout(*picture.shape[:2])
        if min(plan.height, plan.width) < MIN_CANVAS:
            return []
        scores = self._network.run(paint(picture, plan)[None])[0, 0]
        boxes, found = _boxes(scores, plan)
        chosen = unsuppressed(boxes)
        left, top, right, bottom = _shrunk(boxes[chosen], upsample).T.tolist()
        return list(map(CnnDetection, left, top, right, bottom, found[chosen].tolist()))


def load_detector(cache: Path, *, engine: str = "auto") -> tuple[CnnDetector, str]:
    """Return a detector that has passed its self-test, and a sentence about the runtime it is in and why.

    `cache` is the folder of converted models; `engine` is that of `selection.load`.

    Raises:
        SettingError: dlib's file, the cache or the engine cannot be used.
        MismatchError: the self-test failed.
    """
    picture = portrait(SELF_TEST_SIDE)
    probe = Probe(paint(picture, layout(*picture.shape[:2]))[None], SCORE_TOLERANCE)
    file = models.onnx(models.DETECTOR, cache)
    network, reason = load(file, probe, kernels=partial(_kernels, file), engine=engine)
    detector = CnnDetector(network)
    self_test(detector)
    return detector, reason


def _kernels(file: Path) -> Network:
    from worker.engine.runtime.convolution.detector import MmodDetector  # noqa: PLC0415 - where kernels cannot run, others can

    return MmodDetector(file)


def self_test(detector: CnnDetector) -> None:
    """Find the one face in a drawn picture, so that a worker with a wrong model or runtime does not start.

    Raises:
        MismatchError: not one face is found, or it lies or scores differently than with dlib 20.0 itself.
    """
    found = detector.detect(portrait(SELF_TEST_SIDE))
    if len(found) != 1 or not _near(found[0], SELF_TEST_FACE):
        raise MismatchError(
            f"the face detector's self-test found {found} and not {SELF_TEST_FACE}:"
            " convert the models again, or choose another engine"
        )


def _near(found: CnnDetection, expected: CnnDetection) -> bool:
    corners = np.subtract(astuple(found)[:4], astuple(expected)[:4])
    return bool(
        np.abs(corners).max() <= BOX_TOLERANCE and abs(found.score - expected.score) <= SCORE_TOLERANCE
    )


def _colour(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    is_picture = pixels.ndim >= 2 and pixels.shape[2:] in {(), (3,)} and pixels.size
    if pixels.dtype != np.uint8 or not is_picture:
        raise ValueError(f"a picture is RGB or grey bytes, not {pixels.shape} {pixels.dtype}")
    return np.ascontiguousarray(pixels if pixels.ndim == 3 else np.repeat(pixels[:, :, None], 3, axis=2))


def _boxes(scores: NDArray[np.float32], plan: Layout) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the boxes (n, 4) and scores (n,) of the windows with a score above 0, the highest score first."""
    rows, columns = np.nonzero(scores > 0)
    found = scores[rows, columns]
    order = np.argsort(-found, kind="stable")
    centres = STRIDE * np.stack([columns, rows], axis=1)[order] + FIRST_CENTRE
    half = (WINDOW - 1) / 2
    corners = np.concatenate([centres - half, centres + half], axis=1)
    return _rounded(to_picture(plan, centres, corners)), found[order]


def _rounded(corners: NDArray[np.float64]) -> NDArray[np.int64]:
    """Round half away from zero, as C's lround."""
    return np.trunc(corners + np.copysign(0.5, corners)).astype(np.int64)


def _shrunk(boxes: NDArray[np.int64], upsample: int) -> NDArray[np.int64]:
    """Take boxes of the doubled picture back to the picture."""
    corners = boxes.astype(np.float64)
    for _ in range(upsample):
        corners = corners / 2 - (1.25, 0.75, 1.25, 0.75)
    return _rounded(corners)


def unsuppressed(boxes: NDArray[np.int64]) -> list[int]:
    """Return which of `boxes` (n, 4), best first, stay: those that overlap no better one that stays.

    The overlap is the shared area divided by that of the *rectangle around both*, not of their union.
    """
    chosen: list[int] = []
    left = np.arange(len(boxes))
    while left.size:
        best, left = left[0], left[1:]
        chosen.append(int(best))
        left = left[_overlaps(boxes[best], boxes[left]) <= OVERLAP]
    return chosen


def _overlaps(box: NDArray[np.int64], others: NDArray[np.int64]) -> NDArray[np.float64]:
    shared = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]) + 1
    around = np.maximum(box[2:], others[:, 2:]) - np.minimum(box[:2], others[:, :2]) + 1
    overlaps: NDArray[np.float64] = np.maximum(shared, 0).prod(axis=1) / around.prod(axis=1)
    return overlaps
