"""Age and gender by a tiny model that a test makes; 68 landmarks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import NodeProto, TensorProto, helper, save

from faces.errors import SettingError
from worker.engine.attributes.estimators import AgeGender, Landmarks68
from worker.engine.detection.detectors import DlibHog
from worker.engine.portrait import portrait
from worker.engine.types import Box, Traits

SIDE = 12


def model(path: Path, *, normalises: bool, outputs: int = 3) -> Path:
    """A model that answers with the means of red, green and blue, and does or does not normalise by itself."""
    before = [
        helper.make_node("Sub", ["data", "mean"], ["taken"]),
        helper.make_node("Mul", ["taken", "part"], ["normal"]),
    ]
    name = "normal" if normalises else "data"
    nodes: list[NodeProto] = before if normalises else []
    nodes.append(helper.make_node("ReduceMean", [name], ["planes"], axes=[2, 3], keepdims=0))
    nodes.append(helper.make_node("Slice", ["planes", "start", "stop", "axis"], ["fc1"]))
    constants = [
        helper.make_tensor("mean", TensorProto.FLOAT, [], [127.5]),
        helper.make_tensor("part", TensorProto.FLOAT, [], [1 / 128]),
        helper.make_tensor("start", TensorProto.INT64, [1], [0]),
        helper.make_tensor("stop", TensorProto.INT64, [1], [outputs]),
        helper.make_tensor("axis", TensorProto.INT64, [1], [1]),
    ]
    given = helper.make_tensor_value_info("data", TensorProto.FLOAT, ("n", 3, SIDE, SIDE))
    answer = helper.make_tensor_value_info("fc1", TensorProto.FLOAT, ("n", outputs))
    graph = helper.make_graph(nodes, "tiny", [given], [answer], constants)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


def coloured(red: int, green: int, blue: int) -> NDArray[np.uint8]:
    return np.full((100, 100, 3), (red, green, blue), np.uint8)


@pytest.mark.parametrize("normalises", [False, True])
def test_the_answer_is_read(tmp_path: Path, normalises: bool) -> None:
    told = AgeGender(model(tmp_path / "tiny.onnx", normalises=normalises))
    blue = round(127.5 + 0.33 * 128)
    assert told.estimate(coloured(200, 100, blue), Box(30, 30, 59, 59)) == Traits(age=33, gender="female")
    assert told.estimate(coloured(100, 200, 0), Box(30, 30, 59, 59)) == Traits(age=0, gender="male")


def test_it_sees_the_face_and_half_as_much_around_it(tmp_path: Path) -> None:
    told = AgeGender(model(tmp_path / "tiny.onnx", normalises=False))
    pixels = coloured(128, 128, 0)
    box = Box(40, 40, 59, 59)  # 20 pixels; what is seen goes from 34.5 to 64.5
    pixels[36:63, 36:63, 2] = 255
    assert told.estimate(pixels, box).age == pytest.approx(100 * (255 * 0.81 - 127.5) / 128, abs=10)
    pixels[36:63, 36:63, 2] = 0
    pixels[:33, :, 2] = pixels[66:, :, 2] = 255
    assert told.estimate(pixels, box).age == 0


@pytest.mark.parametrize("box", [Box(0, 0, 30, 30), Box(80, 80, 100, 100), Box(0, 0, 100, 100)])
def test_a_face_at_an_edge_is_filled_up_with_black(tmp_path: Path, box: Box) -> None:
    told = AgeGender(model(tmp_path / "tiny.onnx", normalises=False))
    inside = told.estimate(coloured(0, 0, 255), Box(40, 40, 60, 60)).age
    at_the_edge = told.estimate(coloured(0, 0, 255), box).age
    assert inside is not None
    assert at_the_edge is not None
    assert 0 <= at_the_edge < inside


def test_another_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"AGE_GENDER_MODEL .* cannot be used"):
        AgeGender(model(tmp_path / "two.onnx", normalises=False, outputs=2))


def test_the_landmarks_lie_in_the_face() -> None:
    picture = portrait(300)
    [face] = DlibHog().detect(picture, 0)
    landmarks = Landmarks68().find(picture, face.box)
    assert landmarks.shape == (68, 2)
    assert np.abs(landmarks.mean(axis=0) - 150).max() < 30
    eyes, mouth = landmarks[36:48], landmarks[48:68]
    assert eyes[:, 1].max() < mouth[:, 1].min()
