"""What quality means: blur, turned heads, small faces; and the bar."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from worker.engine.alignment.chips import Chip
from worker.engine.portrait import portrait
from worker.engine.quality import Bar, measure
from worker.engine.types import Box, Detection, Quality

AHEAD = ((110, 60), (90, 60), (40, 60), (60, 60), (75, 95))
FACE = Detection(Box(10, 10, 109, 129), 1.25, "hog")


def chip(pixels: NDArray[np.uint8] | None = None, landmarks: tuple[tuple[int, int], ...] = AHEAD) -> Chip:
    return Chip(portrait(150) if pixels is None else pixels, np.array(landmarks, np.float64))


def sharpness(pixels: NDArray[np.uint8]) -> float:
    return measure(chip(pixels), FACE, 1.0).sharpness


def turned(nose: int) -> float:
    return measure(chip(landmarks=(*AHEAD[:4], (nose, 95))), FACE, 1.0).pose


def test_size_and_score_are_those_of_the_detection() -> None:
    quality = measure(chip(), FACE, 2.0)
    assert quality.size == 240
    assert quality.score == 1.25


def test_sharpness_falls_with_blur() -> None:
    image = Image.fromarray(portrait(150))
    measured = [sharpness(np.asarray(image.filter(ImageFilter.GaussianBlur(r)))) for r in (0, 1, 2, 4)]
    assert measured == sorted(measured, reverse=True)
    assert measured[-1] < measured[0] / 4
    assert sharpness(np.full((150, 150, 3), 99, np.uint8)) == 0


def test_pose_rises_as_the_head_turns_either_way() -> None:
    assert turned(75) == 0
    assert turned(85) == turned(65) == pytest.approx(0.4)
    assert turned(100) == turned(50) == 1
    assert measure(chip(landmarks=((5, 5),) * 5), FACE, 1.0).pose == 1


def test_pose_does_not_change_when_the_head_is_tilted() -> None:
    tilt = np.array([[0.8, -0.6], [0.6, 0.8]])
    landmarks = np.array([*AHEAD[:4], (85, 95)], np.float64)
    tilted = measure(Chip(portrait(150), landmarks @ tilt), FACE, 1.0).pose
    assert tilted == pytest.approx(turned(85), abs=1e-3)


GOOD = Quality(size=100, sharpness=5.0, pose=0.5, score=1.0)
BAR = Bar(size=100)


def test_what_just_meets_the_bar_is_indexed() -> None:
    assert BAR.reason(GOOD) is None


def test_a_smaller_face_is_not_indexed_and_says_why() -> None:
    assert BAR.reason(Quality(99, 5.0, 0.5, 1.0)) == "too small: 99 pixels, at least 100 required"
