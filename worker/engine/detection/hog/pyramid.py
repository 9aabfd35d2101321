"""All levels of a picture, and which of the overlapping windows are kept."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from worker.engine.detection.hog.filters import tiles
from worker.engine.detection.hog.picture import Picture, Room, fill
from worker.engine.detection.hog.resize import resize_all
from worker.engine.detection.hog.scan import limits_of, scan
from worker.engine.detection.hog.spectra import Spectra
from worker.engine.detection.hog.weights import WINDOW, Weights
from worker.simd.kernel import Bytes, kernel

MIN_SIDE = 64  # pixels: levels end before one of the sides is shorter
CELL = 8
MARGIN = 4  # cells around the features that windows reach into

Boxes: TypeAlias = NDArray[np.float64]  # (n, 4): left, top, right, bottom, inclusive


def search(
    pixels: Bytes, upsample: int, adjust: float, *, weights: Weights, spectra: Spectra, room: Room
) -> tuple[Boxes, NDArray[np.float64], NDArray[np.int64]]:
    """Return boxes, scores and sub-detectors, as `evaluate_detectors` of dlib 20.0.1 orders and chooses them.

    pixels: (height, width, channels), contiguous. spectra: made of these weights.
    """
    height, width, channels = pixels.shape
    picture = room.blank(width, height, channels)
    fill(picture, pixels)
    for _ in range(upsample):
        larger = room.blank(2 * picture.width + 2, 2 * picture.height + 1, picture.channels)
        resize_all(picture, larger)
        picture = larger
    boxes, scores, detectors = _candidates(picture, adjust, weights, spectra, room)
    order = np.argsort(-scores, kind="stable")
    boxes, scores, detectors = boxes[order], scores[order], detectors[order]
    kept = keep_best(boxes, weights.max_overlap, weights.max_covered)
    boxes = boxes[kept]
    for _ in range(upsample):
        boxes = boxes / 2 - np.array([1.25, 0.75, 1.25, 0.75])
    return np.trunc(boxes + np.copysign(0.5, boxes)), scores[kept], detectors[kept]


def _candidates(
    picture: Picture, adjust: float, weights: Weights, spectra: Spectra, room: Room
) -> tuple[Boxes, NDArray[np.float64], NDArray[np.int64]]:
    """Return all windows that reach their threshold, sub-detector by sub-detector, level by level."""
    found = []
    source, tiles_room = picture, tiles()
    thresholds = weights.thresholds + adjust
    limits = limits_of(thresholds, spectra)
    for level in range(_levels(picture.width, picture.height)):
        if level:
            picture = room.blank(5 * source.width // 6, 5 * source.height // 6, source.channels)
        windows = scan(source, picture, spectra, thresholds, limits, tiles_room)
        found += [(detector, level, row, column, score) for detector, row, column, score in windows]
        source = picture
    table = np.array(found, dtype=np.float64).reshape(-1, 5)
    detectors, levels, rows, columns = table[:, :4].T.astype(np.int64)
    return _boxes(levels, rows, columns), table[:, 4] - weights.thresholds[detectors], detectors


@kernel
def _boxes(level: NDArray[np.int64], row: NDArray[np.int64], column: NDArray[np.int64]) -> Boxes:
    """Return the windows' boxes in pixels of level 0 (`fhog_to_image` and `rect_up` in dlib)."""
    boxes = np.empty((len(level), 4), np.float64)
    for i in range(len(level)):
        cells = column[i], row[i], column[i] + WINDOW - 1, row[i] + WINDOW - 1
        for side in range(4):
            pixel = float((cells[side] + 1 - MARGIN) * CELL + 1)
            pixel = pixel + CELL // 2 if pixel >= 0 else pixel - CELL // 2
            for _ in range(level[i]):
                pixel = pixel * 1.2 + 0.3
            boxes[i, side] = _whole(pixel)
    return boxes


@kernel
def _whole(number: float) -> float:
    """Round half away from zero, as C does."""
    whole: float = np.trunc(number + np.copysign(0.5, number))
    return whole


@kernel
def _levels(width: int, height: int) -> int:
    """Return how many levels a picture has; dlib counts by a rectangle that it shrinks, not by the pictures."""
    left, top, right, bottom = 0.0, 0.0, width - 1.0, height - 1.0
    levels = 0
    while levels == 0 or min(right - left, bottom - top) + 1 >= MIN_SIDE:
        left, top = _whole((left - 0.3) * 5 / 6), _whole((top - 0.3) * 5 / 6)
        right, bottom = _whole((right - 0.3) * 5 / 6), _whole((bottom - 0.3) * 5 / 6)
        levels += 1
    return levels


@kernel
def keep_best(boxes: Boxes, max_overlap: float, max_covered: float) -> NDArray[np.int64]:
    """Return the indices of the boxes, best first, that no better one which is kept overlaps too much."""
    kept = np.empty(len(boxes), np.int64)
    count = 0
    for i in range(len(boxes)):
        free = True
        for j in range(count):
            if _overlap(boxes[i], boxes[kept[j]], max_overlap, max_covered):
                free = False
                break
        if free:
            kept[count] = i
            count += 1
    return kept[:count]


@kernel
def _overlap(a: NDArray[np.float64], b: NDArray[np.float64], max_overlap: float, max_covered: float) -> bool:
    """Tell whether two boxes share too much of the box around both, or of one of them."""
    across = min(a[2], b[2]) - max(a[0], b[0]) + 1
    down = min(a[3], b[3]) - max(a[1], b[1]) + 1
    if across <= 0 or down <= 0:
        return False
    both = across * down
    around = (max(a[2], b[2]) - min(a[0], b[0]) + 1) * (max(a[3], b[3]) - min(a[1], b[1]) + 1)
    first = (a[2] - a[0] + 1) * (a[3] - a[1] + 1)
    second = (b[2] - b[0] + 1) * (b[3] - b[1] + 1)
    covered: bool = max(both / first, both / second) > max_covered
    return covered or both / around > max_overlap
