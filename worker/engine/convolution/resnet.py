"""dlib's encoder in the kernels of this package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from worker.engine.convolution.program import Maps, Prepared, Program
from worker.engine.networks import CHIP

Weights: TypeAlias = tuple[NDArray[np.float32], NDArray[np.float32]]
"""A convolution's weights (filters, channels, side, side) and bias (filters,)."""

TILES = {35: 6, 17: 6, 8: 4, 4: 2, 3: 2}
"""Results along the side of a tile, for each side of maps. Large tiles need few multiplications and large weights;
deep layers have many weights and few pixels."""


class ResNet:
    """The encoder; a network of one thread, as `worker.engine.runtime.Network` has it."""

    def __init__(self, model: Path) -> None:
        weights, self._matrix = read(model)
        self._program = Program()
        self._maps = _layers(self._program, weights)
        self._prepared: Prepared = self._program.prepared(1)
        self._room = 1

    def run(self, batch: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the encodings (n, 128) of chips (n, 150, 150, 3)."""
        count = len(batch)
        if count > self._room:
            self._prepared, self._room = self._program.prepared(count), count
        self._prepared.run(batch.ravel(), count)
        means: NDArray[np.float32] = self._prepared.maps(self._maps, count).mean(axis=(1, 2))
        return means @ self._matrix


def read(model: Path) -> tuple[Iterator[Weights], NDArray[np.float32]]:
    """Return the convolutions of an ONNX file in order, and the matrix at the end."""
    graph = onnx.load(model).graph
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    convolutions = [node.input for node in graph.node if node.op_type == "Conv"]
    matrix = next(arrays[node.input[1]] for node in graph.node if node.op_type == "MatMul")
    return ((arrays[weights], arrays[bias]) for _, weights, bias in convolutions), matrix


def _layers(program: Program, weights: Iterator[Weights]) -> Maps:
    """Add all layers; return the last maps, whose mean the matrix takes."""
    chip, first = Maps(CHIP, CHIP, 3, shared=True), Maps(72, 72, 32, shared=True)
    maps = _maps(35, 32)
    program.read(chip)
    program.convolution(chip, first, *next(weights), stride=2)
    program.largest(first, maps)
    between = _maps(35, 32)
    for _ in range(3):
        _residual(program, maps, between, weights)
    for side, filters, residuals in ((17, 64, 3), (8, 128, 2), (4, 256, 2), (2, 256, 0)):
        maps, between = _down(program, maps, _maps(side, filters), weights)
        for _ in range(residuals):
            _residual(program, maps, between, weights)
    return maps


def _maps(side: int, channels: int) -> Maps:
    return Maps(side, side, channels, border=1, tile=TILES.get(side) or 1)


def _residual(program: Program, maps: Maps, between: Maps, weights: Iterator[Weights]) -> None:
    """Add two convolutions beside a straight line, all in place: x = relu(b(relu(a(x))) + x)."""
    tile = TILES[maps.height]
    program.convolution(maps, between, *next(weights), tile=tile, padding=1)
    program.convolution(between, maps, *next(weights), tile=tile, padding=1, add=True)


def _down(program: Program, before: Maps, maps: Maps, weights: Iterator[Weights]) -> tuple[Maps, Maps]:
    """Add two convolutions beside a mean, both of half the side; return the new maps and those between.

    Where the convolutions' maps are smaller than the mean's, dlib fills them up with zeros. A single pixel sees
    no more than the middle of each filter.
    """
    half = (before.height - 3) // 2 + 1
    between = _maps(half, maps.channels)
    program.mean(before, maps)
    program.convolution(before, between, *next(weights), stride=2)
    last, bias = next(weights)
    if half == 1:
        program.convolution(between, maps, last[:, :, 1:2, 1:2], bias, size=(1, 1), add=True)
    else:
        program.convolution(
            between, maps, last, bias, tile=TILES[half], padding=1, size=(half, half), add=True
        )
    return maps, between if half == maps.height else _maps(maps.height, maps.channels)
