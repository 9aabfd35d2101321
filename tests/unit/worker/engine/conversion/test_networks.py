from collections.abc import Callable
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import ModelProto

from worker.engine import models
from worker.engine.conversion import networks
from worker.engine.conversion.dlib_format import parse
from worker.engine.conversion.dlib_layers import Affine, Convolution, DlibNetwork, Input, Layer, Loss, Relu

Floats = NDArray[np.float64]


@pytest.fixture(scope="module")
def encoder() -> DlibNetwork:
    return parse(models.source(models.ENCODER.file).read_bytes())


@pytest.fixture(scope="module")
def detector() -> DlibNetwork:
    return parse(models.source(models.DETECTOR.file).read_bytes())


def convolved(x: Floats, layer: Convolution) -> Floats:
    """Cross-correlate by the definition: for each place of the kernel one product, all added up."""
    x = np.pad(x, [(0, 0), (0, 0), *((padding, padding) for padding in layer.padding)])
    *_, kernel_rows, kernel_columns = layer.weights.shape
    stride_y, stride_x = layer.stride
    rows = (x.shape[2] - kernel_rows) // stride_y + 1
    columns = (x.shape[3] - kernel_columns) // stride_x + 1
    y: Floats = np.zeros((len(x), len(layer.weights), rows, columns))
    for r in range(kernel_rows):
        for c in range(kernel_columns):
            part = x[:, :, r : r + stride_y * rows : stride_y, c : c + stride_x * columns : stride_x]
            y += np.einsum("fk,nkyx->nfyx", layer.weights[:, :, r, c], part[:, :, :rows, :columns])
    return y + layer.bias.astype(np.float64)[:, None, None]


def answer(network: DlibNetwork, x: Floats) -> Floats:
    for layer in network.layers:
        match layer:
            case Convolution():
                x = convolved(x, layer)
            case Affine():
                x = layer.gamma[:, None, None] * x + layer.beta[:, None, None]
            case Relu():
                x = np.maximum(x, 0)
    return x


@pytest.mark.parametrize("shape", [(1, 3, 29, 29), (1, 3, 90, 141), (2, 3, 117, 64)])
def test_the_detector_computes_what_its_layers_say(
    detector: DlibNetwork, shape: tuple[int, int, int, int]
) -> None:
    canvas = np.random.default_rng(2).uniform(-0.5, 0.5, shape)
    session = onnxruntime.InferenceSession(networks.detector(detector).SerializeToString())
    scores = session.run(None, {"canvas": canvas.astype(np.float32)})[0]
    expected = answer(detector, canvas)
    assert expected.std() > 0.01 or expected.size == 1
    np.testing.assert_allclose(scores, expected, rtol=0, atol=2e-5)


@pytest.mark.parametrize("convert", [networks.encoder, networks.detector])
def test_the_other_network_is_refused(
    encoder: DlibNetwork, detector: DlibNetwork, convert: Callable[[DlibNetwork], ModelProto]
) -> None:
    other = detector if convert is networks.encoder else encoder
    with pytest.raises(ValueError, match="it goes from input_rgb"):
        convert(other)


def with_layer(network: DlibNetwork, at: int, *layers: Layer) -> DlibNetwork:
    return replace(network, layers=network.layers[:at] + layers + network.layers[at + 1 :])


def test_every_missing_layer_is_noticed(encoder: DlibNetwork, detector: DlibNetwork) -> None:
    for network, convert in ((encoder, networks.encoder), (detector, networks.detector)):
        for at in range(len(network.layers)):
            with pytest.raises(ValueError, match="where the architecture has"):
                convert(with_layer(network, at))


def test_a_layer_too_many_is_noticed(encoder: DlibNetwork) -> None:
    with pytest.raises(ValueError, match="no more layers"):
        networks.encoder(replace(encoder, layers=(*encoder.layers, Relu())))


def test_a_convolution_of_another_shape_stride_or_padding_is_noticed(detector: DlibNetwork) -> None:
    first = detector.layers[0]
    assert isinstance(first, Convolution)
    others = (
        replace(first, stride=(1, 1)),
        replace(first, padding=(2, 2)),
        replace(first, weights=first.weights[:, :, :3]),
    )
    for other in others:
        with pytest.raises(ValueError, match="its layer 1 is"):
            networks.detector(with_layer(detector, 0, other))


def test_another_size_is_noticed(encoder: DlibNetwork) -> None:
    with pytest.raises(ValueError, match="its input has"):
        networks.encoder(replace(encoder, input=replace(encoder.input, size=(160, 160))))


def test_another_mean_colour_window_or_overlap_is_noticed(detector: DlibNetwork) -> None:
    others = (
        replace(detector, input=Input(detector.input.name, (0.0, 0.0, 0.0))),
        replace(detector, loss=Loss("loss_mmod_", (40, 40), networks.OVERLAP)),
        replace(detector, loss=Loss("loss_mmod_", (80, 80), 0.5)),
    )
    for other in others:
        with pytest.raises(ValueError, match=r"mean colour|window or overlap"):
            networks.detector(other)
