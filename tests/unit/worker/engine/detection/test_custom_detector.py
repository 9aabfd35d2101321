"""The operator's own detector, on tiny models in the layouts of YuNet and SCRFD that answer what a test writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, save

from faces.errors import SettingError
from worker.engine.detection.custom_detector import OperatorsDetector
from worker.engine.types import Box

SIDE = 64
CELLS = {stride: (SIDE // stride) ** 2 for stride in (8, 16, 32)}
Answers = dict[str, NDArray[np.float32]]


def model(
    path: Path, answers: Mapping[str, NDArray[np.float32]], side: int | str = SIDE, *, seeing: str = ""
) -> Path:
    """A model that answers always the same; only to the output `seeing` it adds the first plane's mean."""
    nodes = [
        helper.make_node("Gather", ["input", "first"], ["channel"], axis=1),
        helper.make_node("ReduceMean", ["channel"], ["mean"], keepdims=0),
    ]
    outputs = []
    for name, values in answers.items():
        tensor = helper.make_tensor(f"{name}_value", TensorProto.FLOAT, values.shape, values.ravel())
        nodes.append(helper.make_node("Constant", [], [f"{name}_constant"], value=tensor))
        added = "mean" if name == seeing else "zero"
        nodes.append(helper.make_node("Add", [f"{name}_constant", added], [name]))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, values.shape))
    constants = [
        helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
        helper.make_tensor("first", TensorProto.INT64, [1], [0]),
    ]
    given = helper.make_tensor_value_info("input", TensorProto.FLOAT, (1, 3, side, side))
    graph = helper.make_graph(nodes, "tiny", [given], outputs, constants)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), str(path))
    return path


def yunet() -> Answers:
    widths = {"obj": 1, "cls": 1, "bbox": 4, "kps": 10}
    return {
        f"{kind}_{stride}": np.zeros((1, cells, width), np.float32)
        for kind, width in widths.items()
        for stride, cells in CELLS.items()
    }


def scrfd(kinds: Sequence[tuple[str, int]] = (("score", 1), ("box", 4), ("points", 10))) -> Answers:
    return {
        f"{kind}{stride}": np.zeros((2 * cells, width), np.float32)
        for kind, width in kinds
        for stride, cells in CELLS.items()
    }


def black(width: int = SIDE, height: int = SIDE) -> NDArray[np.uint8]:
    return np.zeros((height, width, 3), np.uint8)


def grey(width: int = SIDE, height: int = SIDE) -> NDArray[np.uint8]:
    return np.full((height, width, 3), 128, np.uint8)


def test_yunets_boxes_are_read(tmp_path: Path) -> None:
    answers = yunet()
    cell = 2 * 4 + 1  # row 2, column 1 of the 4 x 4 cells of stride 16
    answers["cls_16"][0, cell] = 0.9
    answers["obj_16"][0, cell] = 1.5  # what passes 1 counts as 1
    answers["bbox_16"][0, cell] = 0.5, 0.25, np.log(2.0), np.log(1.5)
    found = OperatorsDetector(model(tmp_path / "yunet.onnx", answers)).detect(black(), 0)
    assert [d.box for d in found] == [Box(10, 22, 38, 50)]  # middle 24, 36; sides 32 and 24: a square of 28
    assert found[0].score == pytest.approx(np.sqrt(0.9), abs=1e-4)
    assert found[0].detector == "custom"


def test_yunets_doubtful_faces_are_left_out(tmp_path: Path) -> None:
    answers = yunet()
    answers["cls_8"][0, :2, 0] = 0.89**2, 0.91**2
    answers["obj_8"][0, :2, 0] = 1.0
    found = OperatorsDetector(model(tmp_path / "yunet.onnx", answers)).detect(black(), 0)
    assert [round(d.score, 2) for d in found] == [0.91]


@pytest.mark.parametrize("kinds", [(("score", 1), ("box", 4)), (("score", 1), ("box", 4), ("points", 10))])
def test_scrfds_boxes_are_read_and_the_surest_comes_first(
    tmp_path: Path, kinds: Sequence[tuple[str, int]]
) -> None:
    answers = scrfd(kinds)
    answers["score8"][2 * (8 * 5 + 6) + 1] = 0.7  # the second box of row 5, column 6 of stride 8
    answers["box8"][2 * (8 * 5 + 6) + 1] = 1, 1, 0.5, 0.5
    answers["score32"][2 * 1] = 0.8  # the first box of row 0, column 1 of stride 32
    answers["box32"][2 * 1] = 1, 0, 0, 1
    found = OperatorsDetector(model(tmp_path / "scrfd.onnx", answers)).detect(grey(), 0)
    assert [d.box for d in found] == [Box(0, 0, 32, 32), Box(40, 32, 52, 44)]
    assert [d.score for d in found] == pytest.approx([0.8, 0.7], abs=0.01)


def test_of_boxes_that_overlap_the_surest_stays(tmp_path: Path) -> None:
    answers = scrfd()
    answers["score16"][:6, 0] = 0.6, 0.9, 0, 0, 0.7, 0
    answers["box16"][:6] = [(0, 0, 2, 2), (0, 0, 2, 2), (0,) * 4, (0,) * 4, (0, 0, 1, 1), (0,) * 4]
    found = OperatorsDetector(model(tmp_path / "scrfd.onnx", answers)).detect(grey(), 0)
    assert [round(d.score, 1) for d in found] == [0.9, 0.7]


def test_a_picture_larger_than_the_model_takes_is_fitted_and_its_boxes_are_its_own(tmp_path: Path) -> None:
    answers = scrfd()
    answers["score8"][0] = 0.9
    answers["box8"][0] = 0, 0, 4, 4
    found = OperatorsDetector(model(tmp_path / "scrfd.onnx", answers)).detect(black(256, 128), 0)
    assert [d.box for d in found] == [Box(0, 0, 128, 128)]


def test_a_doubled_picture_gives_boxes_of_the_picture(tmp_path: Path) -> None:
    answers = scrfd()
    answers["score8"][0] = 0.9
    answers["box8"][0] = 0, 0, 4, 4
    found = OperatorsDetector(model(tmp_path / "scrfd.onnx", answers)).detect(black(20, 20), 1)
    assert [d.box for d in found] == [Box(0, 0, 16, 16)]


def test_a_model_of_any_size_is_shown_whole_cells(tmp_path: Path) -> None:
    detector = OperatorsDetector(model(tmp_path / "scrfd.onnx", scrfd(), side="any"))
    assert detector.detect(grey(40, 64), 0) == []


def test_yunet_is_shown_bytes_as_they_are_blue_first(tmp_path: Path) -> None:
    answers = yunet()
    answers["obj_32"][:] = 1.0
    detector = OperatorsDetector(model(tmp_path / "yunet.onnx", answers, seeing="cls_32"))
    assert detector.detect(black() + np.array([1, 0, 0], np.uint8), 0) == []
    assert [d.score for d in detector.detect(black() + np.array([0, 0, 1], np.uint8), 0)] == [1.0] * 4


def test_scrfd_is_shown_numbers_around_zero_red_first(tmp_path: Path) -> None:
    detector = OperatorsDetector(model(tmp_path / "scrfd.onnx", scrfd(), seeing="score32"))
    assert detector.detect(black() + np.array([127, 255, 255], np.uint8), 0) == []
    found = detector.detect(black() + np.array([255, 0, 0], np.uint8), 0)
    assert [d.score for d in found] == pytest.approx([127.5 / 128] * len(found))
    assert found


def test_another_model_is_refused(tmp_path: Path) -> None:
    other = model(tmp_path / "other.onnx", {"scores": np.zeros((1, 10), np.float32)})
    with pytest.raises(SettingError, match=r"outputs scores: neither those of YuNet nor those of SCRFD"):
        OperatorsDetector(other)


def test_a_model_that_breaks_its_promise_is_refused(tmp_path: Path) -> None:
    answers = scrfd()
    answers["box8"] = answers["box8"][:-1]
    with pytest.raises(SettingError, match="does not return what its outputs declare"):
        OperatorsDetector(model(tmp_path / "broken.onnx", answers))


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "text.onnx").write_text("a text")
    with pytest.raises(SettingError, match=r"text\.onnx cannot be loaded"):
        OperatorsDetector(tmp_path / "text.onnx")
