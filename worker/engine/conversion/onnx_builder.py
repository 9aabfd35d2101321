"""A walk through a network of dlib's: each layer checked against what it must be, and written as ONNX."""

from __future__ import annotations

from typing import Literal, TypeVar

import numpy as np
from onnx import ModelProto

from worker.engine.conversion.dlib_layers import (
    AddPrevious,
    Affine,
    Convolution,
    DlibNetwork,
    FullyConnected,
    Layer,
    Link,
    Multiply,
    Pool,
    Relu,
)
from worker.engine.conversion.onnx_graph import Graph

T = TypeVar("T", bound=Layer)


class Walk:
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
        return self.relu(x) if relu else x

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

    def relu(self, x: str) -> str:
        """Set what is negative to zero."""
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

    def multiplied(self, x: str) -> str:
        """Multiply with a number: what a dropout of the training is afterwards."""
        return self.graph.add("Mul", x, self.graph.constant(self._take(Multiply).factor))

    def fully_connected(self, x: str, inputs: int, outputs: int, *, bias: bool = False) -> str:
        """Multiply the flattened input with a matrix, and add a bias if there must be one."""
        layer = self._take(FullyConnected)
        expected = (inputs, outputs), bias
        if (found := (layer.weights.shape, layer.bias is not None)) != expected:
            raise self._unexpected(f"a matrix of shape and bias {expected}", found)
        x = self.graph.add("MatMul", self.graph.add("Flatten", x), self.graph.constant(layer.weights))
        return x if layer.bias is None else self.graph.add("Add", x, self.graph.constant(layer.bias))

    def _block(self, x: str, channels: int, filters: int, stride: int) -> str:
        padding = 1 if stride == 1 else 0
        x = self.convolution(x, (filters, channels, 3), stride=stride, padding=padding, relu=True)
        return self.convolution(x, (filters, filters, 3), stride=1, padding=1)

    def residual(self, x: str, filters: int) -> str:
        """Two convolutions beside a straight line."""
        self._take(Link)
        y = self._block(x, filters, filters, stride=1)
        self._take(AddPrevious)
        return self.relu(self.graph.add("Add", y, x))

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
        return self.relu(
            self.graph.add(
                "Add", self.graph.padded(y, side=missing), self.graph.padded(x, channels=filters - channels)
            )
        )
