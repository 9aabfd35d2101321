"""dlib's age and gender networks as ONNX, each layer checked against the architecture that it must have.

Both were made by Cydral, are in the public domain (CC0), and run on batches of any size. Source of the
architectures: age-predictor/dnn_age_predictor_v1_ex.cpp and gender-classifier/dnn_gender_classifier_v1_ex.cpp in
github.com/davisking/dlib-models. Both take `(pixel - mean) / 256` with the means that their file names, and are
written with a multiplication in the place of a dropout, as dlib reads them.
"""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, TensorProto

from worker.engine.conversion.dlib_layers import DlibNetwork, FullyConnected
from worker.engine.conversion.onnx_builder import Walk

LOSS = "loss_multiclass_log_"

GENDERS = ("female", "male")
"""What the gender network tells apart, in the order of its outputs."""

GENDER_CHIP = 32
"""Width and height of the face chips that the gender network takes."""

AGES = 81
"""Outputs of the age network: one for each year from 0 to 80."""

AGE_CHIP = 64
"""Width and height of the face chips that the age network takes."""


def outputs(network: DlibNetwork) -> int:
    """Return how many classes a network tells apart; 0 if it ends in something else than a matrix."""
    last = network.layers[-1]
    return last.weights.shape[1] if isinstance(last, FullyConnected) else 0


def gender(network: DlibNetwork) -> ModelProto:
    """Return the gender network: `chips` (n, 32, 32, 3) uint8 RGB to `probabilities` (n, 2) float32, see GENDERS.

    Raises:
        ValueError: `network` is not dlib's dnn_gender_classifier_v1.
    """
    _check_ends(network, {("input_rgb_image_sized", (GENDER_CHIP, GENDER_CHIP))})
    walk, x = _begun(network, GENDER_CHIP)
    channels = 3
    for filters in (32, 64):
        x = walk.convolution(x, (filters, channels, 3), stride=1, padding=1, relu=True)
        x = walk.convolution(x, (filters, filters, 3), stride=1, padding=1, relu=True)
        x = walk.pool(x, "avg", size=2, stride=2)
        channels = filters
    x = walk.multiplied(x)
    x = walk.relu(walk.fully_connected(x, channels * (GENDER_CHIP // 4) ** 2, 16, bias=True))
    x = walk.fully_connected(walk.multiplied(x), 16, len(GENDERS), bias=True)
    return _finished(walk, x, len(GENDERS), "dnn_gender_classifier_v1")


def age(network: DlibNetwork) -> ModelProto:
    """Return the age network: `chips` (n, 64, 64, 3) uint8 RGB to `probabilities` (n, 81) float32, one a year.

    Raises:
        ValueError: `network` is not dlib's dnn_age_predictor_v1.
    """
    # dlib reads an input of a given size as one of any size
    _check_ends(network, {("input_rgb_image", None), ("input_rgb_image_sized", (AGE_CHIP, AGE_CHIP))})
    walk, x = _begun(network, AGE_CHIP)
    x = walk.convolution(x, (64, 3, 7), stride=2, padding=0, relu=True)
    x = walk.pool(x, "max", size=3, stride=2)
    x = walk.residual(x, 64)
    channels, side = 64, 14
    for filters in (128, 256):
        x = walk.residual_down(x, channels, filters, side)
        x = walk.residual(x, filters)
        channels, side = filters, side // 2
    x = walk.fully_connected(walk.whole_plane_average(x), channels, AGES, bias=True)
    return _finished(walk, x, AGES, "dnn_age_predictor_v1")


def _check_ends(network: DlibNetwork, sources: set[tuple[str, tuple[int, int] | None]]) -> None:
    source = network.input.name, network.input.size
    if network.loss.name != LOSS or source not in sources:
        raise ValueError(
            f"it goes from {source} to {network.loss.name}, not from {sorted(sources, key=str)[0]} to {LOSS}"
        )


def _begun(network: DlibNetwork, side: int) -> tuple[Walk, str]:
    """Begin with the normalisation, outside of the convolution: what pads a normalised picture is its mean."""
    walk = Walk(network)
    walk.graph.input("chips", TensorProto.UINT8, ("n", side, side, 3))
    means = walk.graph.constant(np.reshape(network.input.means, (3, 1, 1)))
    x = walk.graph.add("Sub", walk.graph.planes("chips"), means)
    return walk, walk.graph.add("Div", x, walk.graph.constant(256))


def _finished(walk: Walk, x: str, classes: int, name: str) -> ModelProto:
    walk.graph.output("probabilities", ("n", classes), walk.graph.add("Softmax", x, axis=1))
    return walk.finished(name)
