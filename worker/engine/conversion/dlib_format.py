"""Reads the networks that dlib serializes (`.dat`): the losses and the layers of its face networks.

The format has no magic number, no checksum and no description of the architecture. A file is the nested C++
objects of a network, written loss first, then one version number an object from the output to the input, then
the layers from the input to the output; a layer's weights follow its name. Source: dlib 20.0's
dnn/{core,layers,input,loss}.h.
"""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from worker.engine.conversion.dlib_layers import (
    AddPrevious,
    Affine,
    Convolution,
    DlibNetwork,
    FullyConnected,
    Input,
    Layer,
    Link,
    Loss,
    Multiply,
    Pool,
    Relu,
)
from worker.engine.conversion.dlib_stream import Stream


def parse(data: bytes) -> DlibNetwork:
    """Return the network that dlib serialized.

    Raises:
        ValueError: `data` is something else, ends early, or goes on after the network.
    """
    stream = Stream(data)
    stream.version(1)
    loss = _loss(stream)
    prefix = _prefix(stream)
    picture = _input(stream)
    layers = [_layer(stream)]
    if stream.integer() != 1:
        raise ValueError("its input layer makes several samples of one, which no face network of dlib's does")
    layers += [_layer(stream) if version == 2 else Link() for version in reversed(prefix)]
    stream.end()
    return DlibNetwork(loss, picture, tuple(layers))


def _loss(stream: Stream) -> Loss:
    name = stream.text()
    if name == "loss_metric_2":
        stream.floating(), stream.floating()  # margin and distance threshold, of use in training only
        return Loss(name)
    if name == "loss_multiclass_log_":
        return Loss(name)
    if name != "loss_mmod_":
        raise ValueError(f"its loss is {name!r}, which no face network of dlib's has")
    stream.version(1)
    window = stream.pair()
    for _ in range(3):
        stream.floating()  # losses of a false alarm and of a miss, overlap with the truth: of use in training
    overlap, covered = stream.floating(), stream.floating()
    if covered < 1:
        raise ValueError(
            "it suppresses boxes that another one covers in part, which dlib's detector does not"
        )
    stream.floating(), stream.floating()  # overlap with boxes to ignore, of use in training only
    return Loss(name, window, overlap)


def _prefix(stream: Stream) -> list[int]:
    """Return the versions of the objects above the innermost layer: 2 is a layer, 1 a tag or skip."""
    versions = []
    while (version := stream.version(1, 2, 3)) != 3:
        versions.append(version)
    return versions


def _input(stream: Stream) -> Input:
    name = stream.text()
    if name not in {"input_rgb_image", "input_rgb_image_sized", "input_rgb_image_pyramid"}:
        raise ValueError(f"its input is {name!r}, which no face network of dlib's has")
    means = stream.floating(), stream.floating(), stream.floating()
    return Input(name, means, stream.pair() if name == "input_rgb_image_sized" else None)


def _layer(stream: Stream) -> Layer:
    name = stream.text()
    if name not in _READERS:
        raise ValueError(f"it has a layer {name!r}, which no face network of dlib's has")
    layer = _READERS[name](stream)
    for _ in range(3):
        stream.boolean()  # state of a training that was under way
    for _ in range(3):
        stream.tensor()  # outputs and gradients, empty unless the file was saved in the midst of a training
    return layer


def _convolution(stream: Stream) -> Convolution:
    parameters = stream.tensor().ravel()
    filters = stream.integer()
    rows, columns = stream.pair()
    stride, padding = stream.pair(), stream.pair()
    shape = stream.alias()
    stream.alias()
    _skip_multipliers(stream)
    if shape[0] != filters or shape[2:] != (rows, columns) or parameters.size != prod(shape) + filters:
        raise ValueError(f"a convolution of shape {shape} does not fit its {parameters.size} parameters")
    return Convolution(parameters[:-filters].reshape(shape), parameters[-filters:], stride, padding)


def _affine(stream: Stream) -> Affine:
    gamma, beta = _gamma_beta(stream)
    if mode := stream.integer():
        raise ValueError(f"an affine layer has the mode {mode}, not 0 (by channel)")
    return Affine(gamma, beta)


def _batch_norm(stream: Stream) -> Affine:
    """Read a batch norm as the affine that dlib makes of it at inference: with the *running* statistics."""
    gamma, beta = _gamma_beta(stream)
    stream.tensor(), stream.tensor()  # mean and inverse deviation of the last batch
    mean, variance = stream.tensor().ravel(), stream.tensor().ravel()
    stream.pair()  # updates so far, and over how many the statistics run
    _skip_multipliers(stream)
    spread = variance + stream.floating()
    if not (spread.size == gamma.size and (spread > 0).all()):
        raise ValueError("a batch norm's variances do not fit its parameters, or are not positive")
    scale = gamma / np.sqrt(spread)
    return Affine(scale, beta - scale * mean)


def _gamma_beta(stream: Stream) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    parameters = stream.tensor().ravel().astype(np.float64)
    if not prod(stream.alias()) == prod(stream.alias()) == parameters.size / 2:
        raise ValueError(f"an affine layer does not fit its {parameters.size} parameters")
    gamma, beta = np.split(parameters, 2)
    return gamma, beta


def _pool(kind: Literal["max", "avg"]) -> Callable[[Stream], Pool]:
    return lambda stream: Pool(kind, stream.pair(), stream.pair(), stream.pair())


def _fully_connected(stream: Stream) -> FullyConnected:
    outputs, inputs = stream.pair()
    parameters = stream.tensor().ravel()
    stream.alias(), stream.alias()
    rows = inputs + {0: 1, 1: 0}.get(stream.integer(), -1)  # the bias, where there is one, is the last row
    if rows < inputs or parameters.size != rows * outputs:
        raise ValueError(f"a matrix {(inputs, outputs)} does not fit its {parameters.size} parameters")
    _skip_multipliers(stream)
    weights = parameters[: inputs * outputs].reshape(inputs, outputs)
    return FullyConnected(weights, parameters[weights.size :] if rows > inputs else None)


def _dropout(stream: Stream) -> Multiply:
    """Read a dropout as the multiplication that dlib makes of it at inference."""
    rate = stream.floating()
    stream.tensor()  # what the training last left out
    return Multiply(1 - rate)


def _skip_multipliers(stream: Stream) -> None:
    for _ in range(4):
        stream.floating()  # of the rates of learning and of decay


_READERS: dict[str, Callable[[Stream], Layer]] = {
    "con_4": _convolution,
    "affine_": _affine,
    "bn_con2": _batch_norm,
    "relu_": lambda _: Relu(),
    "max_pool_2": _pool("max"),
    "avg_pool_2": _pool("avg"),
    "add_prev_": lambda _: AddPrevious(),
    "fc_2": _fully_connected,
    "multiply_": lambda stream: Multiply(stream.floating()),
    "dropout_": _dropout,
}
