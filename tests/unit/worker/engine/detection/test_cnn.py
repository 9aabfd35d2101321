import dlib
import numpy as np
import pytest
from numpy.typing import NDArray

from faces.errors import MismatchError
from worker.engine import models
from worker.engine.detection.canvas import layout, paint
from worker.engine.detection.cnn import CnnDetection, CnnDetector, load_detector, self_test, unsuppressed
from worker.engine.portrait import portrait
from worker.engine.runtime.network import Batch, Network
from worker.engine.runtime.selection import OnnxRuntime

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return OnnxRuntime(models.onnx(models.DETECTOR, tmp_path_factory.mktemp("models")))


@pytest.fixture(scope="module")
def dlibs() -> dlib.cnn_face_detection_model_v1:
    return dlib.cnn_face_detection_model_v1(str(models.source(models.DETECTOR.file)))


def scene(height: int, width: int, *faces: tuple[int, int, int]) -> Pixels:
    """Portraits of a size at a left and a top, before a background of soft noise."""
    rng = np.random.default_rng(height + width)
    coarse = rng.integers(60, 160, (height // 10 + 1, width // 10 + 1, 3), np.uint8)
    picture: Pixels = coarse.repeat(10, axis=0).repeat(10, axis=1)[:height, :width]
    for side, left, top in faces:
        picture[top : top + side, left : left + side] = portrait(side)
    return picture


def compare(network: Network, dlibs: dlib.cnn_face_detection_model_v1, picture: Pixels, upsample: int) -> int:
    """Check that dlib finds the same boxes with the same scores, and return how many."""
    found = CnnDetector(network).detect(picture, upsample)
    expected = [
        CnnDetection(box.rect.left(), box.rect.top(), box.rect.right(), box.rect.bottom(), box.confidence)
        for box in dlibs(picture, upsample)
    ]
    assert [(f.left, f.top, f.right, f.bottom) for f in found] == [
        (e.left, e.top, e.right, e.bottom) for e in expected
    ]
    assert [f.score for f in found] == pytest.approx([e.score for e in expected], abs=1e-4)
    return len(found)


@pytest.mark.parametrize("side", [140, 163, 200, 251])
def test_a_face_is_where_dlib_finds_it(
    network: Network, dlibs: dlib.cnn_face_detection_model_v1, side: int
) -> None:
    assert compare(network, dlibs, portrait(side), 0) == 1


@pytest.mark.parametrize("side", [80, 101])
def test_a_small_face_is_found_in_the_enlarged_picture(
    network: Network, dlibs: dlib.cnn_face_detection_model_v1, side: int
) -> None:
    assert compare(network, dlibs, portrait(side), 0) == 0
    assert compare(network, dlibs, portrait(side), 1) == 1


def test_a_smaller_face_needs_a_larger_picture(
    network: Network, dlibs: dlib.cnn_face_detection_model_v1
) -> None:
    assert compare(network, dlibs, portrait(50), 2) == 1


def test_faces_of_several_sizes_are_found_together(
    network: Network, dlibs: dlib.cnn_face_detection_model_v1
) -> None:
    picture = scene(300, 420, (250, 0, 25), (150, 260, 120))
    assert compare(network, dlibs, picture, 0) == 2


def test_a_grey_picture_is_searched_too(network: Network, dlibs: dlib.cnn_face_detection_model_v1) -> None:
    assert compare(network, dlibs, np.ascontiguousarray(portrait(200)[:, :, 1]), 0) == 1


def test_no_face_no_box(network: Network, dlibs: dlib.cnn_face_detection_model_v1) -> None:
    assert compare(network, dlibs, scene(150, 200), 0) == 0


def test_a_slice_of_a_picture_is_a_picture(network: Network) -> None:
    picture = scene(300, 420, (250, 0, 25), (150, 260, 120))
    detector = CnnDetector(network)
    assert detector.detect(picture[:, ::-1]) == detector.detect(picture[:, ::-1].copy())


@pytest.mark.parametrize(
    "shape", [(1, 1, 3), (1, 1), (2, 900, 3), (900, 2, 3), (7, 7, 3), (8, 8), (30, 13, 3)]
)
@pytest.mark.parametrize("upsample", [0, 1])
def test_a_tiny_picture_has_no_face(network: Network, shape: tuple[int, ...], upsample: int) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    assert CnnDetector(network).detect(pixels, upsample) == []


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((0, 5, 3), np.uint8),
        np.zeros((5, 5, 4), np.uint8),
        np.zeros((5,), np.uint8),
        np.zeros((1, 5, 5, 3), np.uint8),
        np.zeros((5, 5, 3), np.float32),
    ],
)
def test_what_is_no_picture_is_refused(network: Network, pixels: Pixels) -> None:
    with pytest.raises(ValueError, match="RGB or grey bytes"):
        CnnDetector(network).detect(pixels)


def test_the_canvas_without_its_last_pixels_gives_the_same_scores(network: Network) -> None:
    picture = scene(165, 203, (160, 20, 3))
    plan = layout(165, 203)
    canvas = paint(picture, plan)
    whole = np.pad(canvas, [(0, 0), (0, 7), (0, 7)])
    np.testing.assert_array_equal(network.run(canvas[None]), network.run(whole[None]))


def test_the_weaker_of_two_boxes_goes_if_they_share_a_third_of_the_rectangle_around_them() -> None:
    best = (0, 0, 99, 99)
    boxes = np.array([best, (50, 0, 149, 99), (51, 0, 150, 99), (49, 0, 148, 99), (200, 200, 299, 299)])
    # shared / around: 50/150 = 0.333, 49/151 = 0.325, 51/149 = 0.342; the limit is 0.338
    assert unsuppressed(boxes[[0, 1, 4]]) == [0, 1, 2]
    assert unsuppressed(boxes[[0, 2, 4]]) == [0, 1, 2]
    assert unsuppressed(boxes[[0, 3, 4]]) == [0, 2]


def test_a_box_is_suppressed_only_by_one_that_stays() -> None:
    chain = np.array([(0, 0, 99, 99), (40, 0, 139, 99), (80, 0, 179, 99)])
    assert unsuppressed(chain) == [0, 2]


def test_the_rectangle_around_counts_not_the_union() -> None:
    # of the union they share 0.47, of the rectangle around both 0.40 and 0.33
    assert unsuppressed(np.array([(0, 0, 99, 99), (20, 20, 119, 119)])) == [0]
    assert unsuppressed(np.array([(0, 0, 99, 99), (27, 27, 126, 126)])) == [0, 1]


def test_no_box_no_choice() -> None:
    assert unsuppressed(np.empty((0, 4), np.int64)) == []


def test_the_detector_loads_with_its_self_test(tmp_path_factory: pytest.TempPathFactory) -> None:
    detector, reason = load_detector(tmp_path_factory.mktemp("models"), engine="onnxruntime")
    assert len(detector.detect(portrait(200))) == 1
    assert "onnxruntime" in reason


class Changed:
    """dlib's network with something done to its canvas or its scores."""

    def __init__(self, network: Network, change: str) -> None:
        self._network = network
        self._change = change

    def run(self, batch: Batch) -> NDArray[np.float32]:
        if self._change == "turned":
            return self._network.run(np.ascontiguousarray(batch[:, :, ::-1]))
        scores = self._network.run(batch)
        return {"blind": scores - 5, "weak": scores * np.float32(0.8), "not a number": scores * np.nan}[
            self._change
        ]


@pytest.mark.parametrize("change", ["turned", "blind", "weak", "not a number"])
def test_the_self_test_refuses_another_network(network: Network, change: str) -> None:
    with pytest.raises(MismatchError, match="self-test found"):
        self_test(CnnDetector(Changed(network, change)))
