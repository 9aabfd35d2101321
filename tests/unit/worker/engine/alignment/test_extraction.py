"""Chips are dlib's to the byte: of faces of any size, turned by any angle, wherever they lie."""

from __future__ import annotations

import math
from typing import Any

import dlib
import numpy as np
import pytest

from worker.engine.alignment.extraction import Rectangle, extract
from worker.engine.conversion.networks import CHIP
from worker.engine.types import Pixels

UPRIGHT = np.array([[0.86, 0.21], [0.65, 0.23], [0.12, 0.21], [0.33, 0.23], [0.49, 0.63]])


def place_of(rng: np.random.Generator, size: float) -> Any:
    """The landmarks of a face of about this size that is turned by any angle."""
    angle = rng.uniform(-math.pi, math.pi)
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    points = UPRIGHT @ turn.T * size + rng.normal(0, size / 10, (5, 2)) + rng.uniform(-100, 400, 2)
    return dlib.full_object_detection(dlib.rectangle(), [dlib.point(*map(round, point)) for point in points])


def compare(pixels: Pixels, face: Any) -> None:
    place = dlib.get_face_chip_details(face, CHIP, 0.25)
    area = Rectangle(place.rect.left(), place.rect.top(), place.rect.right(), place.rect.bottom())
    made = extract(pixels, area, place.angle)
    np.testing.assert_array_equal(made, dlib.get_face_chip(pixels, face, size=CHIP, padding=0.25))


@pytest.mark.parametrize("flat", [False, True], ids=["noise", "one colour"])
def test_of_any_place(flat: bool) -> None:
    """One colour shows the last bit of all: 200 becomes 199 where a sum falls short of it by the least amount."""
    rng = np.random.default_rng(int(flat))
    for _ in range(600):
        height, width = rng.integers(1, 400, 2)
        pixels = rng.integers(0, 256, (height, width, 3), np.uint8)
        if flat:
            pixels[:] = pixels[0, 0]
        compare(pixels, place_of(rng, 10 ** rng.uniform(-0.5, 2.9)))


def test_of_large_faces() -> None:
    rng = np.random.default_rng(5)
    pixels = rng.integers(0, 256, (1500, 1300, 3), np.uint8)
    for size in (140, 300, 600, 1200, 2500, 20000):
        compare(pixels, place_of(rng, size))


def test_of_a_face_whose_landmarks_are_one_point() -> None:
    face = dlib.full_object_detection(dlib.rectangle(), [dlib.point(20, 30)] * 5)
    compare(np.random.default_rng(6).integers(0, 256, (90, 80, 3), np.uint8), face)
