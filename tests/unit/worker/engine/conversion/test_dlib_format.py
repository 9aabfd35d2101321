import numpy as np
import pytest

from worker.engine import models
from worker.engine.conversion.dlib_format import parse
from worker.engine.conversion.dlib_layers import Affine, Convolution, DlibNetwork, FullyConnected


@pytest.fixture(scope="module")
def detector() -> bytes:
    return models.source(models.DETECTOR.file).read_bytes()


@pytest.fixture(scope="module")
def encoder() -> bytes:
    return models.source(models.ENCODER.file).read_bytes()


def parameters(network: DlibNetwork) -> int:
    count = 0
    for layer in network.layers:
        match layer:
            case Convolution():
                count += layer.weights.size + layer.bias.size
            case Affine():
                count += layer.gamma.size + layer.beta.size
            case FullyConnected():
                count += layer.weights.size
    return count


def test_the_face_detector_is_read_whole(detector: bytes) -> None:
    network = parse(detector)
    assert network.loss.name == "loss_mmod_"
    assert network.loss.window == (80, 80)
    assert len(network.layers) == 19
    assert isinstance(network.layers[-1], Convolution)
    assert network.layers[-1].weights.shape == (1, 45, 9, 9)


def test_the_encoder_is_read_whole(encoder: bytes) -> None:
    network = parse(encoder)
    assert network.loss.name == "loss_metric_2"
    assert network.input.means == pytest.approx((122.782, 117.001, 104.298))
    assert parameters(network) == 5_614_592  # as dlib's own XML dump of the network counts them


@pytest.mark.parametrize("part", [0, 1, 0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(detector: bytes, part: float) -> None:
    with pytest.raises(ValueError, match="it ends at byte"):
        parse(detector[: int(part * (len(detector) - 1))])


def test_no_shorter_end_passes(detector: bytes) -> None:
    for missing in range(1, 60):
        with pytest.raises(ValueError, match="it ends at byte"):
            parse(detector[:-missing])


def test_bytes_left_over_are_refused(detector: bytes) -> None:
    with pytest.raises(ValueError, match="1 bytes are left over"):
        parse(detector + b"\0")


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8\xff\xe0\x00\x10JFIF",
        b"PK\x03\x04",
        b"<html></html>",
        bytes(1000),
        b"version https://git-lfs",
    ],
)
def test_something_else_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"byte|version|loss"):
        parse(data)


def test_a_shape_predictor_is_refused() -> None:
    with pytest.raises(ValueError, match=r"byte|version|loss"):
        parse(models.source("shape_predictor_5_face_landmarks.dat").read_bytes())


@pytest.mark.parametrize("name", [b"con_4", b"bn_con2", b"relu_"])
def test_an_unknown_layer_is_named(detector: bytes, name: bytes) -> None:
    with pytest.raises(ValueError, match="it has a layer"):
        parse(detector.replace(name, name[:-1] + b"X"))


def test_a_damaged_byte_gives_a_network_or_a_value_error(detector: bytes) -> None:
    rng = np.random.default_rng(5)
    refused = 0
    for _ in range(200):
        damaged = bytearray(detector)
        # the first bytes and the last hold the structure, the middle is weights
        at = int(rng.choice([rng.integers(0, 400), len(detector) - rng.integers(1, 400)]))
        damaged[at] ^= int(rng.integers(1, 256))
        try:
            parse(bytes(damaged))
        except ValueError:
            refused += 1
    assert refused > 20
