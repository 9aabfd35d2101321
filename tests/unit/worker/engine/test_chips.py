"""Chips and landmarks are dlib's."""

from __future__ import annotations

import dlib
import numpy as np
import pytest

from worker.engine import models
from worker.engine.chips import Chipper
from worker.engine.faces import Box
from worker.engine.finders import DlibHog
from worker.engine.portrait import portrait
from worker.engine.quality import measure


@pytest.mark.parametrize("box", [Box(75, 77, 239, 241), Box(0, 0, 319, 319), Box(200, 150, 319, 300)])
def test_a_chip_is_what_dlib_cuts(box: Box) -> None:
    picture = portrait(320)
    chip = Chipper().cut(picture, box)
    predictor = dlib.shape_predictor(str(models.source("shape_predictor_5_face_landmarks.dat")))
    shape = predictor(picture, dlib.rectangle(box.left, box.top, box.right, box.bottom))
    assert [tuple(point) for point in chip.landmarks] == [(p.x, p.y) for p in shape.parts()]
    assert np.array_equal(chip.pixels, dlib.get_face_chip(picture, shape, size=150, padding=0.25))


def test_a_face_seen_from_the_front_is_not_turned() -> None:
    picture = portrait(320)
    [face] = DlibHog().detect(picture, 0)
    straight = measure(Chipper().cut(picture, face.box), face, 1.0)
    assert straight.pose < 0.2
    assert straight.sharpness > 0
