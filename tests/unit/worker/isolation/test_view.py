"""A face as the status document has it."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

from worker.engine.types import Box, Face, Quality, Traits
from worker.isolation.view import described

FACE = Face(Box(1, 2, 3, 4), np.zeros(128, np.float32), "hog", Quality(3, 4.5, 0.1, 1.0))


def test_a_face_tells_its_place_and_quality_and_nothing_that_was_not_asked_for() -> None:
    assert described(FACE) == {
        "box": {"left": 1, "top": 2, "right": 3, "bottom": 4},
        "detector": "hog",
        "quality": {"size": 3, "sharpness": 4.5, "pose": 0.1, "score": 1.0},
        "indexed": True,
    }


def test_landmarks_age_and_gender_are_told_when_they_are_known() -> None:
    told = described(replace(FACE, landmarks=((1, 2), (3, 4)), traits=Traits(40, "female")))
    assert json.loads(json.dumps(told["landmarks"])) == [[1, 2], [3, 4]]
    assert (told["age"], told["gender"]) == (40, "female")


def test_a_trait_that_no_model_estimates_is_not_told() -> None:
    told = described(replace(FACE, traits=Traits(gender="male")))
    assert told["gender"] == "male"
    assert "age" not in told


def test_a_face_that_is_not_indexed_says_why() -> None:
    told = described(replace(FACE, reason="too small"))
    assert (told["indexed"], told["reason"]) == (False, "too small")
