"""dlib's age and gender networks, of random weights, against the definition of each layer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from faces.errors import SettingError
from tests.support.models import dlib_writer as write
from worker.engine import models
from worker.engine.attributes.dlib_age_gender import DlibAgeGender, converted
from worker.engine.attributes.estimators import load_age_gender
from worker.engine.portrait import portrait
from worker.engine.types import Box

Floats = NDArray[np.float32]
MEANS = np.array([122.782, 117.001, 104.298])


class Made:
    """Writes a network of random weights, layer by layer, and computes each one's answer by its definition."""

    def __init__(self, chips: NDArray[np.uint8]) -> None:
        self.rng = np.random.default_rng(4)
        self.layers: list[bytes | None] = []
        self.x: NDArray[np.float64] = ((chips - MEANS) / 256).transpose(0, 3, 1, 2)

    def random(self, *shape: int) -> Floats:
        inputs = int(np.prod(shape[1:])) if len(shape) == 4 else shape[0]
        values: Floats = (self.rng.standard_normal(shape) * np.sqrt(4 / inputs)).astype(np.float32)
        return values

    def convolution(self, filters: int, size: int, stride: int, padding: int) -> None:
        weights, bias = self.random(filters, self.x.shape[1], size, size), self.random(filters)
        gamma, beta = 1 + self.random(filters), self.random(filters)
        self.layers += [
            write.convolution(weights, bias, stride=stride, padding=padding),
            write.affine(gamma, beta),
        ]
        x = np.pad(self.x, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
        windows = sliding_window_view(x, (size, size), axis=(2, 3))[:, :, ::stride, ::stride]
        sums = np.tensordot(windows, weights.astype(np.float64), ((1, 4, 5), (1, 2, 3))) + bias
        self.x = (sums * gamma + beta).transpose(0, 3, 1, 2)

    def relu(self) -> None:
        self.layers.append(write.text("relu_"))
        self.x = np.maximum(self.x, 0)

    def multiply(self, layer: bytes, factor: float) -> None:
        self.layers.append(layer)
        self.x = self.x * factor

    def pool(self, kind: str, size: int, stride: int) -> None:
        self.layers.append(write.pool(f"{kind}_pool_2", size, stride))
        if not size:
            self.x = self.x.mean(axis=(2, 3))
            return
        windows = sliding_window_view(self.x, (size, size), axis=(2, 3))[:, :, ::stride, ::stride]
        self.x = windows.max(axis=(4, 5)) if kind == "max" else windows.mean(axis=(4, 5))

    def fully_connected(self, outputs: int) -> None:
        flat = self.x.reshape(len(self.x), -1)
        weights, bias = self.random(flat.shape[1], outputs), self.random(outputs)
        self.layers.append(write.fully_connected(weights, bias))
        self.x = flat @ weights.astype(np.float64) + bias

    def residual(self, filters: int, *, down: bool = False) -> None:
        straight = self.x
        self.layers.append(None)
        self.convolution(filters, 3, stride=2 if down else 1, padding=0 if down else 1)
        self.relu()
        self.convolution(filters, 3, stride=1, padding=1)
        bent = self.x
        self.x = straight
        if down:
            self.layers += [None, None]
            self.pool("avg", 2, 2)
        self.layers.append(write.text("add_prev_"))
        both = np.zeros(np.maximum(bent.shape, self.x.shape))
        for part in (bent, self.x):
            both[tuple(slice(0, n) for n in part.shape)] += part
        self.x = both
        self.relu()

    def probabilities(self) -> NDArray[np.float64]:
        raised: NDArray[np.float64] = np.exp(self.x - self.x.max(axis=1, keepdims=True))
        shares: NDArray[np.float64] = raised / raised.sum(axis=1, keepdims=True)
        return shares


def gender(chips: NDArray[np.uint8], *, dropout: bool = False) -> Made:
    layer = write.text("multiply_") + write.floating(0.75)
    if dropout:
        layer = write.text("dropout_") + write.floating(0.25) + write.tensor(np.ones((1, 9), np.float32))
    made = Made(chips)
    for filters in (32, 64):
        for _ in range(2):
            made.convolution(filters, 3, stride=1, padding=1)
            made.relu()
        made.pool("avg", 2, 2)
    made.multiply(layer, 0.75)
    made.fully_connected(16)
    made.relu()
    made.multiply(layer, 0.75)
    made.fully_connected(2)
    return made


def age(chips: NDArray[np.uint8]) -> Made:
    made = Made(chips)
    made.convolution(64, 7, stride=2, padding=0)
    made.relu()
    made.pool("max", 3, 2)
    made.residual(64)
    for filters in (128, 256):
        made.residual(filters, down=True)
        made.residual(filters)
    made.pool("avg", 0, 1)
    made.fully_connected(81)
    return made


def chips(side: int) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(0, 256, (2, side, side, 3), np.uint8)


def gender_file(made: Made, left: bytes = write.EMPTY * 3) -> bytes:
    return write.network("input_rgb_image_sized", (32, 32), made.layers, left)


def age_file(made: Made) -> bytes:
    return write.network("input_rgb_image", (), made.layers)


def answer(data: bytes, pictures: NDArray[np.uint8]) -> Floats:
    _, model = converted(data)
    found: Floats = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"chips": pictures})[0]
    return found


@pytest.mark.parametrize("dropout", [False, True])
def test_the_gender_network_computes_what_its_layers_say(dropout: bool) -> None:
    made = gender(chips(32), dropout=dropout)
    expected = made.probabilities()
    assert np.ptp(expected[:, 0]) > 1e-3
    np.testing.assert_allclose(answer(gender_file(made), chips(32)), expected, rtol=0, atol=1e-5)


def test_the_age_network_computes_what_its_layers_say() -> None:
    made = age(chips(64))
    expected = made.probabilities()
    assert expected.std() > 1e-3
    np.testing.assert_allclose(answer(age_file(made), chips(64)), expected, rtol=0, atol=1e-5)
    sized = write.network("input_rgb_image_sized", (64, 64), made.layers)
    np.testing.assert_array_equal(answer(sized, chips(64)), answer(age_file(made), chips(64)))


def test_what_a_training_left_in_the_file_makes_no_difference() -> None:
    made = gender(chips(32))
    left = write.tensor(np.ones((1, 2, 3, 4), np.float32)) * 3
    np.testing.assert_array_equal(
        answer(gender_file(made, left), chips(32)), answer(gender_file(made), chips(32))
    )


@pytest.mark.parametrize("make", [gender, age])
def test_every_missing_layer_is_noticed(make: Callable[[NDArray[np.uint8]], Made]) -> None:
    side, name, size = (
        (32, "input_rgb_image_sized", (32, 32)) if make is gender else (64, "input_rgb_image", ())
    )
    layers = make(chips(side)).layers
    for at in range(1, len(layers)):
        with pytest.raises(ValueError, match=r"where the architecture has|distinguishes"):
            converted(write.network(name, size, layers[:at] + layers[at + 1 :]))


def test_another_input_is_noticed() -> None:
    layers = gender(chips(32)).layers
    for name, size in (("input_rgb_image", ()), ("input_rgb_image_sized", (64, 64))):
        with pytest.raises(ValueError, match="it goes from"):
            converted(write.network(name, size, layers))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("dlib")
    (folder / "gender.dat").write_bytes(gender_file(gender(chips(32))))
    (folder / "age.dat").write_bytes(age_file(age(chips(64))))
    (folder / "text.dat").write_text("a text")
    return {path.stem: str(path) for path in folder.iterdir()}


def test_a_face_is_told_what_there_is_a_network_for(files: dict[str, str]) -> None:
    picture, box = portrait(200), Box(50, 50, 149, 149)
    both = load_age_gender([files["gender"], files["age"]]).estimate(picture, box)
    assert both.gender in {"female", "male"}
    assert both.age is not None
    assert 0 <= both.age <= 80
    assert load_age_gender([files["age"], files["gender"]]).estimate(picture, box) == both
    alone = load_age_gender([files["age"]]).estimate(picture, box)
    assert (alone.age, alone.gender) == (both.age, None)


def certain(outputs: int, at: int, made: Made) -> Made:
    """Let the last layer answer with one class, whatever it is given."""
    weights, bias = (
        np.zeros((256 if outputs == 81 else 16, outputs), np.float32),
        np.zeros(outputs, np.float32),
    )
    bias[at] = 50
    made.layers[-1] = write.fully_connected(weights, bias)
    return made


@pytest.mark.parametrize(("output", "told"), [(0, "female"), (1, "male")])
def test_the_first_output_is_female(tmp_path: Path, output: int, told: str) -> None:
    path = tmp_path / "gender.dat"
    path.write_bytes(gender_file(certain(2, output, gender(chips(32)))))
    assert DlibAgeGender([path]).estimate(portrait(200), Box(50, 50, 149, 149)).gender == told


@pytest.mark.parametrize("years", [0, 33, 80])
def test_an_output_stands_for_a_year(tmp_path: Path, years: int) -> None:
    path = tmp_path / "age.dat"
    path.write_bytes(age_file(certain(81, years, age(chips(64)))))
    assert DlibAgeGender([path]).estimate(portrait(200), Box(50, 50, 149, 149)).age == years


def test_another_file_is_refused(files: dict[str, str]) -> None:
    encoder = str(models.source(models.ENCODER.file))
    for other in (files["text"], encoder, "none.dat"):
        with pytest.raises(SettingError, match=r"AGE_GENDER_MODEL .* cannot be used: .*dnn_age_predictor"):
            load_age_gender([other])


def test_models_that_do_not_go_together_are_refused(files: dict[str, str]) -> None:
    with pytest.raises(SettingError, match="one model of gender and one of age"):
        load_age_gender([files["age"], files["age"]])
    with pytest.raises(SettingError, match=r"give one \.onnx file"):
        load_age_gender([files["age"], "genderage.onnx"])
