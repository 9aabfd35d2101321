"""dlib's two face networks as ONNX, each layer checked against the architecture that it must have.

Both run on batches of any size. Every affine layer is folded into the convolution before it. Source of the
architectures: dlib 20.0's tools/python/src/{face_recognition,cnn_face_detector}.cpp.
"""

from __future__ import annotations

import numpy as np
from onnx import ModelProto, TensorProto

from worker.engine.conversion.dlib_layers import DlibNetwork
from worker.engine.conversion.onnx_builder import Walk

CHIP = 150
"""Width and height of the face chips that the encoder takes."""

WINDOW = 80
"""Width and height of the face detector's window, in pixels of its canvas."""

OVERLAP = 0.3382761351109955
"""The part of their common bounding rectangle that two boxes may share before the weaker is suppressed."""

CHANNEL_MEANS = (122.782, 117.001, 104.298)
"""Mean red, green and blue of the training pictures; both networks take `(pixel - mean) / 256`."""


def encoder(network: DlibNetwork) -> ModelProto:
    """Return the network that encodes faces: `chips` (n, 150, 150, 3) uint8 RGB to `encodings` (n, 128) float32.

    Raises:
        ValueError: `network` is not dlib's dlib_face_recognition_resnet_model_v1.
    """
    _check_ends(network, loss="loss_metric_2", source="input_rgb_image_sized")
    walk = Walk(network)
    walk.graph.input("chips", TensorProto.UINT8, ("n", CHIP, CHIP, 3))
    x = walk.graph.planes("chips")
    x = walk.convolution(x, (32, 3, 7), stride=2, padding=0, means=CHANNEL_MEANS, relu=True)
    x = walk.pool(x, "max", size=3, stride=2)
    for _ in range(3):
        x = walk.residual(x, 32)
    channels, side = 32, 35
    for filters, residuals in ((64, 3), (128, 2), (256, 2), (256, 0)):
        x = walk.residual_down(x, channels, filters, side)
        for _ in range(residuals):
            x = walk.residual(x, filters)
        channels, side = filters, side // 2
    x = walk.whole_plane_average(x)
    walk.graph.output("encodings", ("n", 128), walk.fully_connected(x, 256, 128))
    return walk.finished("dlib_face_recognition_resnet_model_v1")


def detector(network: DlibNetwork) -> ModelProto:
    """Return the network that finds faces: `canvas` (n, 3, h, w) to `scores` (n, 1, about h / 8, about w / 8).

    Both are float32; the canvas holds `(pixel - CHANNEL_MEANS) / 256`. The normalisation is left outside because
    the convolutions pad with the mean colour, and because the canvas holds fractions of a grey level.

    Raises:
        ValueError: `network` is not dlib's mmod_human_face_detector.
    """
    _check_ends(network, loss="loss_mmod_", source="input_rgb_image_pyramid")
    if network.loss.window != (WINDOW, WINDOW) or network.loss.overlap != OVERLAP:
        raise ValueError(f"its window or overlap is not dlib's: {network.loss}")
    walk = Walk(network)
    walk.graph.input("canvas", TensorProto.FLOAT, ("n", 3, "h", "w"))
    x, channels = "canvas", 3
    for filters, stride, padding in ((16, 2, 0), (32, 2, 0), (32, 2, 0), (45, 1, 2), (45, 1, 2), (45, 1, 2)):
        x = walk.convolution(x, (filters, channels, 5), stride=stride, padding=padding, relu=True)
        channels = filters
    x = walk.last_convolution(x, channels, 9)
    walk.graph.output("scores", ("n", 1, "rows", "columns"), x)
    return walk.finished("mmod_human_face_detector")


def _check_ends(network: DlibNetwork, *, loss: str, source: str) -> None:
    if (network.loss.name, network.input.name) != (loss, source):
        raise ValueError(
            f"it goes from {network.input.name} to {network.loss.name}, not from {source} to {loss}"
        )
    if network.input.size not in {None, (CHIP, CHIP)}:
        raise ValueError(f"its input has {network.input.size} pixels, not {(CHIP, CHIP)}")
    if not np.allclose(network.input.means, CHANNEL_MEANS, rtol=1e-6, atol=0):
        raise ValueError(f"its mean colour is {network.input.means}, not {CHANNEL_MEANS}")
