from pathlib import Path

import numpy as np
import pytest

from worker.engine import models
from worker.engine.detection.cnn import CnnDetector, load_detector
from worker.engine.encoder import MODEL_MIRROR, Encoder, load_encoder, self_test_chip
from worker.engine.portrait import portrait
from worker.engine.runtime.selection import OnnxRuntime

openvino_network = pytest.importorskip("worker.engine.runtime.openvino_network", exc_type=ImportError)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


def test_a_batch_of_any_size_gives_as_many_encodings(cache: Path) -> None:
    model = models.onnx(models.ENCODER, cache)
    chips = np.stack([np.roll(self_test_chip(), 20 * shift, axis=0) for shift in range(5)])
    expected = Encoder(OnnxRuntime(model)).encode(chips)
    encoder = Encoder(openvino_network.OpenVino(model))
    for count in (5, 1, 3):
        np.testing.assert_allclose(encoder.encode(chips[:count]), expected[:count], rtol=0, atol=1e-2)


def test_an_answer_is_the_callers_to_keep(cache: Path) -> None:
    network = openvino_network.OpenVino(models.onnx(models.ENCODER, cache))
    chip = self_test_chip()[None]
    first = network.run(chip)
    kept = first.copy()
    network.run(255 - chip)
    np.testing.assert_array_equal(first, kept)


def test_pictures_of_all_sizes_keep_their_face(cache: Path) -> None:
    model = models.onnx(models.DETECTOR, cache)
    detector, exact = CnnDetector(openvino_network.OpenVino(model)), CnnDetector(OnnxRuntime(model))
    for side in (160, 200, 170):
        (found,), (expected,) = detector.detect(portrait(side)), exact.detect(portrait(side))
        assert found.score == pytest.approx(expected.score, abs=0.05)


def test_a_large_picture_does_not_disturb_the_next(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    detector = CnnDetector(openvino_network.OpenVino(models.onnx(models.DETECTOR, cache)))
    expected = detector.detect(portrait(170))
    monkeypatch.setattr(openvino_network, "LARGE", 1 << 20)
    assert len(detector.detect(portrait(240))) == 1
    monkeypatch.undo()
    assert detector.detect(portrait(170)) == expected


def test_both_networks_load_with_their_self_tests(cache: Path) -> None:
    assert "openvino, as asked" in load_encoder(cache, model=MODEL_MIRROR, engine="openvino")[1]
    assert "openvino, as asked" in load_detector(cache, engine="openvino")[1]
