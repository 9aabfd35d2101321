"""The engine beside face_recognition itself, on photographs: the same boxes, the same encodings."""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from faces.config import Settings
from faces.formats.limits import Limits
from tests.conftest import MODELS, missing
from worker.engine.detection.search import HOG_PIXELS
from worker.engine.encoder import MODEL_MIRROR, MODEL_PLAIN
from worker.engine.engine import FaceEngine, load
from worker.engine.runtime.selection import has_openvino
from worker.engine.types import Face
from worker.isolation.view import open_for

PORTRAITS = (
    "obama.jpg",
    "obama2.jpg",
    "biden.jpg",
    "obama_partial_face.jpg",
    "obama_partial_face2.jpg",
    "astronaut.png",
)
WITHOUT_FACE = ("chelsea.png",)


def loaded(engine: str = "onnxruntime", model: str = MODEL_PLAIN) -> FaceEngine:
    return load(replace(Settings(), model_cache=str(MODELS), model=model, engine=engine))


@pytest.fixture(scope="module")
def engine() -> FaceEngine:
    return loaded()


def faces_in(engine: FaceEngine, path: Path) -> list[Face]:
    [faces] = engine.find([open_for(engine, path.read_bytes(), Limits.of(Settings()))])
    return faces


def expected(reference: Any, path: Path) -> tuple[list[tuple[int, int, int, int]], NDArray[np.float64]]:
    pixels = reference.load_image_file(path)
    assert pixels.shape[0] * pixels.shape[1] * 4 <= HOG_PIXELS
    boxes = reference.face_locations(pixels)
    return boxes, np.array(reference.face_encodings(pixels, known_face_locations=boxes)).reshape(-1, 128)


def placed(face: Face) -> tuple[int, int, int, int]:
    """A box as face_recognition gives it."""
    return face.box.top, face.box.right, face.box.bottom, face.box.left


@pytest.mark.parametrize("name", PORTRAITS + WITHOUT_FACE)
def test_boxes_and_encodings_are_those_of_the_library(
    engine: FaceEngine, reference: Any, photographs: Path, name: str
) -> None:
    path = photographs / name
    boxes, encodings = expected(reference, path)
    found = [face for face in faces_in(engine, path) if face.detector == "hog"]
    assert [placed(face) for face in found] == boxes
    if name in PORTRAITS:
        assert found
        assert np.abs(np.array([face.encoding for face in found]) - encodings).max() < 1e-3


def test_openvino_is_near_the_library(reference: Any, photographs: Path) -> None:
    if find_spec("openvino") is None:
        missing("OpenVINO: pip install openvino")
    if not has_openvino():
        pytest.skip("this processor does not compute in bfloat16")
    engine = loaded(engine="openvino")
    for name in PORTRAITS:
        _, encodings = expected(reference, photographs / name)
        found = np.array([face.encoding for face in faces_in(engine, photographs / name)])
        assert np.abs(found - encodings).max() < 1.5e-2


@pytest.mark.parametrize("model", [MODEL_PLAIN, MODEL_MIRROR])
def test_it_matches_whom_the_library_matches(photographs: Path, reference: Any, model: str) -> None:
    engine = loaded(model=model)
    encodings = np.array([faces_in(engine, photographs / name)[0].encoding for name in PORTRAITS])
    people = np.array([name.split(".")[0].rstrip("2").split("_")[0] for name in PORTRAITS])
    for encoding, person in zip(encodings, people, strict=True):
        matches = np.array(reference.compare_faces(encodings, encoding))
        assert (matches == (people == person)).all()


def test_many_pictures_at_once_give_what_each_gives_alone(engine: FaceEngine, photographs: Path) -> None:
    names = PORTRAITS[:2] + WITHOUT_FACE + PORTRAITS[2:3]
    opened = [open_for(engine, (photographs / name).read_bytes(), Limits.of(Settings())) for name in names]
    for name, faces in zip(names, engine.find(opened), strict=True):
        alone = faces_in(engine, photographs / name)
        assert [face.box for face in faces] == [face.box for face in alone]
        for face, same in zip(faces, alone, strict=True):
            assert np.abs(face.encoding - same.encoding).max() < 1e-5


def test_a_large_photograph_is_searched_reduced_and_its_face_is_where_it_is(
    engine: FaceEngine, reference: Any, photographs: Path
) -> None:
    pixels = reference.load_image_file(photographs / "obama3.jpg")
    assert pixels.shape[0] * pixels.shape[1] * 4 > HOG_PIXELS
    [face] = faces_in(engine, photographs / "obama3.jpg")
    [box] = reference.face_locations(pixels)
    assert np.abs(np.subtract(placed(face), box)).max() < 20
    [encoding] = reference.face_encodings(pixels)
    assert np.linalg.norm(face.encoding - encoding) < 0.2
