"""dlib's encoder in the kernels of this package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, numpy_helper

from worker.engine.conversion.networks import CHIP
from worker.engine.runtime.convolution.filters import Bank
from worker.engine.runtime.convolution.program import Layer, Maps, Program, convolution, largest, mean, read

Weights: TypeAlias = tuple[NDArray[np.float32], NDArray[np.float32]]
"""A convolution's weights (filters, channels, rows, columns) and bias (filters,)."""

TILES = {35: 6, 17: 6, 8: 4, 4: 2, 3: 2}
"""Results along the side of a tile, for each side of maps. Large tiles need few multiplications and large weights;
deep layers have many weights and few pixels."""


class ResNet:
    """The encoder; a network of one thread, as `worker.engine.runtime.selection.Network` has it."""

    def __init__(self, model: Path) -> None:
        graph = onnx.load(model).graph
        self._matrix = next(array for array in arrays(graph, "MatMul"))[0]
        layers = _Layers(convolutions(graph))
        self._layers, self._last, self._weights = layers.all, layers.last, layers.bank.numbers
        self._program = Program(self._layers, self._weights)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds that one chip takes."""
        return sum(layer.multiply_adds for layer in self._layers) + self._matrix.size

    def run(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the encodings (n, 128) of chips (n, 150, 150, 3)."""
        count = len(batch)
        if count > self._program.room:
            self._program = Program(self._layers, self._weights, count)
        self._program.run(batch.ravel(), count)
        means: NDArray[np.float32] = self._program.maps(self._last, count).mean(axis=(1, 2))
        return means @ self._matrix


def convolutions(graph: GraphProto) -> Iterator[Weights]:
    """Return the convolutions of a network in order."""
    return ((weights, bias) for weights, bias in arrays(graph, "Conv"))


def arrays(graph: GraphProto, operator: str) -> Iterator[list[NDArray[np.float32]]]:
    """Return the constants of each use of an operator, in order."""
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == operator:
            yield [constants[name] for name in node.input if name in constants]


class _Layers:
    """The architecture: each layer takes the next of the network's convolutions."""

    def __init__(self, weights: Iterator[Weights]) -> None:
        self.bank = Bank()
        self.all: list[Layer] = []
        self._weights = weights
        chip, first = Maps(CHIP, CHIP, 3, shared=True), Maps(72, 72, 32, shared=True)
        self.last = _square(35, 32)
        filters = self.bank.add(*next(weights), stride=2)
        self.all += [read(chip), convolution(chip, first, filters), largest(first, self.last)]
        self._residuals(3)
        for side, filters_count, residuals in ((17, 64, 3), (8, 128, 2), (4, 256, 2), (2, 256, 0)):
            self._down(side, filters_count)
            self._residuals(residuals)

    def _residuals(self, count: int) -> None:
        """Add pairs of convolutions beside a straight line, all in place: x = relu(b(relu(a(x))) + x)."""
        maps = self.last
        between = _square(maps.height, maps.channels)
        for _ in range(count):
            self._convolution(maps, between)
            self._convolution(between, maps, add=True)

    def _down(self, side: int, channels: int) -> None:
        """Add two convolutions beside a mean, both of half the side.

        Where the convolutions' maps are smaller than the mean's, dlib fills them up with zeros.
        """
        before, self.last = self.last, _square(side, channels)
        half = (before.height - 3) // 2 + 1
        between = _square(half, channels)
        filters = self.bank.add(*next(self._weights), stride=2)
        self.all += [mean(before, self.last), convolution(before, between, filters)]
        self._convolution(between, self.last, add=True)

    def _convolution(self, source: Maps, out: Maps, *, add: bool = False) -> None:
        """Add a convolution of 3 x 3 with padding; a single pixel sees no more than the middle of each filter."""
        weights, bias = next(self._weights)
        side = source.height
        if side == 1:
            filters = self.bank.add(weights[:, :, 1:2, 1:2], bias)
            self.all.append(convolution(source, out, filters, size=(1, 1), add=add))
        else:
            filters = self.bank.add(weights, bias, tile=TILES[side])
            self.all.append(convolution(source, out, filters, padding=(1, 1), size=(side, side), add=add))


def _square(side: int, channels: int) -> Maps:
    return Maps(side, side, channels, border=1, tile=TILES.get(side, 1))
