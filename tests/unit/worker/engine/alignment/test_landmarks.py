"""Landmarks are dlib's, to the pixel, with the trained predictor and with small ones made up here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dlib
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from faces.errors import SettingError
from tests.support.models.predictor_writer import made_up
from worker.engine import models
from worker.engine.alignment.chips import PREDICTOR
from worker.engine.alignment.landmarks import Landmarks
from worker.engine.portrait import portrait
from worker.engine.types import Box, Pixels


@pytest.fixture(scope="module")
def landmarks() -> Landmarks:
    return Landmarks(models.source(PREDICTOR))


@pytest.fixture(scope="module")
def reference() -> Any:
    return dlib.shape_predictor(str(models.source(PREDICTOR)))


def by_dlib(reference: Any, pixels: Pixels, box: Box) -> list[list[int]]:
    shape = reference(pixels, dlib.rectangle(box.left, box.top, box.right, box.bottom))
    return [[point.x, point.y] for point in shape.parts()]


def random_box(rng: np.random.Generator, width: int, height: int) -> Box:
    """A box of any size and form, mostly near the picture, often partly outside of it."""
    size = int(rng.integers(1, 2 * max(width, height)))
    left, top = int(rng.integers(-size, width)), int(rng.integers(-size, height))
    return Box(left, top, left + size + int(rng.integers(-5, 6)), top + size)


def test_in_photographs(photographs: Path, landmarks: Landmarks, reference: Any) -> None:
    rng = np.random.default_rng(1)
    for path in sorted(photographs.glob("*.jpg"))[:8]:
        pixels = np.array(Image.open(path).convert("RGB"))
        for _ in range(150):
            box = random_box(rng, pixels.shape[1], pixels.shape[0])
            assert landmarks.find(pixels, box).tolist() == by_dlib(reference, pixels, box), (path, box)


def test_in_made_up_pictures(landmarks: Landmarks, reference: Any) -> None:
    rng = np.random.default_rng(2)
    for _ in range(1000):
        height, width = rng.integers(1, 200, 2)
        pixels = rng.integers(0, 256, (height, width, 3), np.uint8)
        box = random_box(rng, width, height)
        assert landmarks.find(pixels, box).tolist() == by_dlib(reference, pixels, box), box


def test_in_a_grey_picture_of_three_equal_channels(landmarks: Landmarks, reference: Any) -> None:
    grey = np.ascontiguousarray(portrait(250)[:, :, 1])
    colour = np.repeat(grey[:, :, None], 3, axis=2)
    for box in (Box(60, 70, 180, 190), Box(-30, -30, 100, 100)):
        assert landmarks.find(colour, box).tolist() == by_dlib(reference, grey, box)


@pytest.mark.parametrize(
    ("points", "pixels", "forests", "trees"), [(1, 2, 1, 1), (3, 40, 2, 7), (8, 1024, 3, 50)]
)
def test_of_a_predictor_of_another_size(
    points: int, pixels: int, forests: int, trees: int, tmp_path: Path
) -> None:
    path = tmp_path / "made-up.dat"
    path.write_bytes(made_up(points, pixels, forests, trees))
    ours, reference = Landmarks(path), dlib.shape_predictor(str(path))
    rng = np.random.default_rng(3)
    for _ in range(100):
        picture: NDArray[np.uint8] = rng.integers(0, 256, (90, 120, 3), np.uint8)
        box = random_box(rng, 120, 90)
        assert ours.find(picture, box).tolist() == by_dlib(reference, picture, box), box


def test_a_file_that_is_no_predictor(tmp_path: Path) -> None:
    path = tmp_path / "predictor.dat"
    path.write_bytes(b"not a predictor")
    with pytest.raises(SettingError, match=r"predictor\.dat contains a different model"):
        Landmarks(path)
