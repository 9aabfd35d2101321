import dlib
import numpy as np
import pytest
from numpy.typing import NDArray

from faces.errors import MismatchError
from worker.engine import models
from worker.engine.encoder import (
    MAX_BATCH,
    MODEL_MIRROR,
    MODEL_PLAIN,
    Encoder,
    self_test,
    self_test_chip,
)
from worker.engine.runtime.network import Network
from worker.engine.runtime.selection import OnnxRuntime

Chips = NDArray[np.uint8]
Encodings = NDArray[np.float32]


class SumNetwork:
    """Encodes a chip as how much brighter its left column is than its right one."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def run(self, batch: NDArray[np.generic]) -> Encodings:
        assert batch.flags.c_contiguous
        self.batches.append(len(batch))
        columns = batch.astype(np.float32).sum(axis=(1, 3))
        return np.repeat(columns[:, :1] - columns[:, -1:], 128, axis=1)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Network:
    return OnnxRuntime(models.onnx(models.ENCODER, tmp_path_factory.mktemp("models")))


@pytest.fixture(scope="module")
def chips() -> Chips:
    """Noise of several grains, flat chips and a gradient."""
    rng = np.random.default_rng(1)
    noise = [
        np.kron(rng.integers(0, 256, (150 // grain, 150 // grain, 3)), np.ones((grain, grain, 1)))
        for grain in (1, 5, 15, 50)
    ]
    flat = [np.full((150, 150, 3), value) for value in (0, 255)]
    return np.stack([*noise, *flat, self_test_chip()]).astype(np.uint8)


@pytest.fixture(scope="module")
def dlibs(chips: Chips) -> Encodings:
    encoder = dlib.face_recognition_model_v1(str(models.source(models.ENCODER.file)))
    return np.array([encoder.compute_face_descriptor(chip) for chip in chips], np.float32)


def test_the_plain_model_is_dlibs(network: Network, chips: Chips, dlibs: Encodings) -> None:
    np.testing.assert_allclose(Encoder(network).encode(chips), dlibs, rtol=0, atol=1e-5)


def test_the_mirror_model_is_the_mean_over_both_sides(network: Network, chips: Chips) -> None:
    plain, mirror = Encoder(network, MODEL_PLAIN), Encoder(network, MODEL_MIRROR)
    expected = (plain.encode(chips) + plain.encode(np.ascontiguousarray(chips[:, :, ::-1]))) / 2
    np.testing.assert_allclose(mirror.encode(chips), expected, rtol=0, atol=1e-6)
    np.testing.assert_allclose(mirror.encode(chips[:, :, ::-1]), expected, rtol=0, atol=1e-6)


def test_an_encoding_does_not_depend_on_the_rest_of_its_batch(network: Network, chips: Chips) -> None:
    encoder = Encoder(network)
    alone = np.concatenate([encoder.encode(chip[None]) for chip in chips])
    np.testing.assert_allclose(encoder.encode(chips), alone, rtol=0, atol=1e-6)


@pytest.mark.parametrize("count", [0, 1, MAX_BATCH, MAX_BATCH + 1, 2 * MAX_BATCH + 3])
def test_many_chips_go_in_batches_and_come_back_in_order(count: int) -> None:
    network = SumNetwork()
    chips = np.zeros((count, 150, 150, 3), np.uint8)
    chips[:, 0, 0, 0] = np.arange(count)
    encodings = Encoder(network).encode(chips)
    assert encodings.shape == (count, 128)
    assert encodings.dtype == np.float32
    assert encodings[:, 0].tolist() == list(range(count))
    assert sum(network.batches) == count
    assert max(network.batches, default=0) <= MAX_BATCH


@pytest.mark.parametrize(
    "chips",
    [
        np.zeros((150, 150, 3), np.uint8),
        np.zeros((1, 149, 150, 3), np.uint8),
        np.zeros((1, 3, 150, 150), np.uint8),
        np.zeros((1, 150, 150, 3), np.float32),
    ],
)
def test_what_is_not_chips_is_refused(chips: Chips) -> None:
    with pytest.raises(ValueError, match="150 x 150 RGB bytes"):
        Encoder(SumNetwork()).encode(chips)


@pytest.mark.parametrize("model", [MODEL_PLAIN, MODEL_MIRROR])
def test_the_self_test_passes_with_dlibs_network(network: Network, model: str) -> None:
    self_test(Encoder(network, model))


class Swapped:
    """dlib's network with something done to its chips, or to its encodings."""

    def __init__(self, network: Network, change: str) -> None:
        self._network = network
        self._change = change

    def run(self, batch: NDArray[np.generic]) -> Encodings:
        if self._change == "blue first":
            return self._network.run(np.ascontiguousarray(batch[..., ::-1]))
        encodings = self._network.run(batch)
        return encodings * (np.nan if self._change == "not a number" else 1.2)


@pytest.mark.parametrize("change", ["blue first", "not a number", "scaled"])
def test_the_self_test_refuses_other_encodings(network: Network, change: str) -> None:
    with pytest.raises(MismatchError, match="self-test is off"):
        self_test(Encoder(Swapped(network, change)))
