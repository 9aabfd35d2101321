"""dlib's two face networks as ONNX, each layer checked against the architecture that it must have.

Both run on batches of any size. Every affine layer is folded into the convolution before it. Source of the
architectures: dlib 20.0's tools/python/src/{face_recognition,cnn_face_detector}.cpp.
"""

from __future__ import annotations

from typing import Literal, TypeVar

import numpy as np
from onnx import ModelProto, TensorProto

from worker.engine.dlib_format import (
    AddPrevious,
    Affine,
    Convolution,
    DlibNetwork,
    FullyConnected,
    Layer,
    Link,
    Pool,
    Relu,
)
from worker.engine.onnx_graph import Graph

CHIP = 150
"""Width and height of the face chips that the encoder takes."""

WINDOW = 80
"""Width and height of the face detector's window, in pixels of its canvas."""

OVERLAP = 0.3382761351109955
"""The part of their common bounding rectangle that two boxes may share before the weaker is suppressed."""

CHANNEL_MEANS = (122.782, 117.001, 104.298)
"""Mean red, green and blue of the training pictures; both networks take `(pixel - mean) / 256`."""

T = TypeVar("T", bound=Layer)


def encoder(network: DlibNetwork) -> ModelProto:
    """Return the network that encodes faces: `chips` (n, 150, 150, 3) uint8 RGB to `encodings` (n, 128) float32.

    Raises:
        ValueError: `network` is not dlib's dlib_face_recognition_resnet_model_v1.
    """
    _check_ends(network, loss="loss_metric_2", source="input_rgb_image_sized")
    walk = _Walk(network)
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
    walk = _Walk(network)
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
    if not np.allclose(network.input.means, CHANNEL_MEANS, rtol=1e-6, atol=0):
        raise ValueError(f"its mean colour is {network.input.means}, not {CHANNEL_MEANS}")


class _Walk:
    """Takes the layers of a network in order, each with what it must be, and writes them into a graph."""

    def __init__(self, network: DlibNetwork) -> None:
        self._layers = network.layers
        self._next = 0
        self.graph = Graph()

    def _take(self, kind: type[T]) -> T:
        found = self._layers[self._next] if self._next < len(self._layers) else None
        if not isinstance(found, kind):
            raise self._unexpected(kind.__name__, type(found).__name__)
        self._next += 1
        return found

    def _unexpected(self, expected: object, found: object) -> ValueError:
        return ValueError(f"its layer {self._next} is {found} where the architecture has {expected}")

    def finished(self, name: str) -> ModelProto:
        """Return the model; raise ValueError if layers are left over."""
        if self._next < len(self._layers):
            raise self._unexpected("no more layers", type(self._layers[self._next]).__name__)
        return self.graph.model(name)

    def _take_convolution(self, shape: tuple[int, int, int], *, stride: int, padding: int) -> Convolution:
        layer = self._take(Convolution)
        filters, channels, size = shape
        expected = (filters, channels, size, size), (stride, stride), (padding, padding)
        if (found := (layer.weights.shape, layer.stride, layer.padding)) != expected:
            raise self._unexpected(f"a convolution {expected}", found)
        return layer

    def convolution(
        self,
        x: str,
        shape: tuple[int, int, int],
        *,
        stride: int,
        padding: int,
        means: tuple[float, ...] | None = None,
        relu: bool = False,
    ) -> str:
        """Convolve with (filters, channels, side of the square kernel), the affine layer after it included.

        With `means`, the input is pixels from 0 to 255 and the normalisation is folded into the weights, which is
        exact only without padding.
        """
        layer = self._take_convolution(shape, stride=stride, padding=padding)
        weights, bias = layer.weights.astype(np.float64), layer.bias.astype(np.float64)
        last = self._take(Affine)
        weights, bias = weights * last.gamma[:, None, None, None], bias * last.gamma + last.beta
        if means:
            weights = weights / 256
            bias = bias - np.einsum("fcyx,c->f", weights, np.asarray(means))
        x = self.graph.convolution(x, weights, bias, stride=stride, padding=padding)
        return self._relu(x) if relu else x

    def last_convolution(self, x: str, channels: int, size: int) -> str:
        """Convolve with one square filter; no affine layer follows.

        Runtimes compute filters by eights or sixteens, so a single one costs as much as many. Here each of its
        columns is a filter of its own, and their results are shifted and added: the same sums in another order.
        In bfloat16 it is also more exact, because runtimes add in float32 after the last convolution.
        """
        layer = self._take_convolution((1, channels, size), stride=1, padding=size // 2)
        columns = layer.weights.transpose(3, 1, 2, 0)
        x = self.graph.convolution(x, columns, np.zeros(size), stride=1, padding=size // 2)
        shifted = [self.graph.sliced(x, channel=k, columns=(k, k - size + 1)) for k in range(size)]
        return self.graph.add("Sum", *shifted, self.graph.constant(layer.bias))

    def _relu(self, x: str) -> str:
        self._take(Relu)
        return self.graph.add("Relu", x)

    def pool(self, x: str, kind: Literal["max", "avg"], *, size: int, stride: int) -> str:
        """Take the maximum or average over squares, leaving out what is not a whole square."""
        layer = self._take(Pool)
        expected = Pool(kind, (size, size), (stride, stride), (0, 0))
        if layer != expected:
            raise self._unexpected(expected, layer)
        operator = "MaxPool" if kind == "max" else "AveragePool"
        return self.graph.add(operator, x, kernel_shape=[size, size], strides=[stride, stride])

    def whole_plane_average(self, x: str) -> str:
        """Average over rows and columns."""
        layer = self._take(Pool)
        if (layer.kind, layer.size) != ("avg", (0, 0)):
            raise self._unexpected("an average over the whole plane", layer)
        return self.graph.add("GlobalAveragePool", x)

    def fully_connected(self, x: str, inputs: int, outputs: int) -> str:
        """Multiply the flattened input with a matrix."""
        weights = self._take(FullyConnected).weights
        if weights.shape != (inputs, outputs):
            raise self._unexpected(f"a matrix {(inputs, outputs)}", weights.shape)
        return self.graph.add("MatMul", self.graph.add("Flatten", x), self.graph.constant(weights))

    def _block(self, x: str, channels: int, filters: int, stride: int) -> str:
        padding = 1 if stride == 1 else 0
        x = self.convolution(x, (filters, channels, 3), stride=stride, padding=padding, relu=True)
        return self.convolution(x, (filters, filters, 3), stride=1, padding=1)

    def residual(self, x: str, filters: int) -> str:
        """Two convolutions beside a straight line."""
        self._take(Link)
        y = self._block(x, filters, filters, stride=1)
        self._take(AddPrevious)
        return self._relu(self.graph.add("Add", y, x))

    def residual_down(self, x: str, channels: int, filters: int, side: int) -> str:
        """Two convolutions beside an average, both of half the side.

        dlib adds planes of unequal shape by filling the smaller with zeros: channels after the last, rows below,
        columns at the right.
        """
        self._take(Link)
        y = self._block(x, channels, filters, stride=2)
        self._take(Link), self._take(Link)
        x = self.pool(x, "avg", size=2, stride=2)
        self._take(AddPrevious)
        missing = side // 2 - (side - 1) // 2
        return self._relu(
            self.graph.add(
                "Add", self.graph.padded(y, side=missing), self.graph.padded(x, channels=filters - channels)
            )
        )
