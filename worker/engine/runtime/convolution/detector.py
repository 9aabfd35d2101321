"""dlib's face detector in the kernels of this package."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from worker.engine.runtime.convolution.filters import Bank, Filters
from worker.engine.runtime.convolution.product import LANES
from worker.engine.runtime.convolution.program import Layer, Maps, Program, convolution
from worker.engine.runtime.convolution.resnet import Weights, arrays, convolutions
from worker.simd.kernel import Floats, kernel

TILE = 4
"""Results along the side of a tile, in all layers but the first and the last."""

STRIDED = 3
"""Layers that halve their maps."""

COLUMNS = 9
"""Of the last filter, each of which is a filter of its own: see `worker.engine.conversion.onnx_builder`."""

KEPT = 32 << 20
"""Numbers up to which memory is kept for the next canvas: large pictures are rare."""


class MmodDetector:
    """The detector; a network of one thread, as `worker.engine.runtime.selection.Network` has it."""

    def __init__(self, model: Path) -> None:
        graph = onnx.load(model).graph
        bank = Bank()
        (first, bias), *between, last = (_filled_up(*pair) for pair in convolutions(graph))
        self._filters = [bank.add(first[:, :3], bias, stride=2)]
        self._filters += [bank.add(*pair, stride=2, tile=TILE) for pair in between[: STRIDED - 1]]
        self._filters += [bank.add(*pair, tile=TILE) for pair in between[STRIDED - 1 :]]
        self._filters.append(bank.add(*last))
        self._weights, self._bias = bank.numbers, next(arrays(graph, "Sum"))[0]
        self._canvas = self._scores = Maps(0, 0, 3)
        self._program: Program | None = None

    def run(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the scores (n, 1, about h / 8, about w / 8) of canvases (n, 3, h, w)."""
        program = self._program
        if program is None or (self._canvas.height, self._canvas.width) != batch.shape[2:]:
            layers = _layers(self._filters, *batch.shape[2:])
            self._canvas, self._scores = layers[0].source or self._canvas, layers[-1].out
            program = Program(layers, self._weights, before=program)
        self._program = program if program.numbers.size <= KEPT else None
        return np.stack([self._run(program, canvas) for canvas in batch])

    def _run(self, program: Program, canvas: NDArray[np.float32]) -> NDArray[np.float32]:
        _interleave(canvas, program.maps(self._canvas, 1)[0])
        program.run(np.empty(0, np.uint8), 1)
        half = COLUMNS // 2
        height, width = self._scores.height, self._scores.width
        columns = program.whole(self._scores, 1)[0, half : half + height]
        scores = np.repeat(self._bias, height * width).reshape(height, width)
        for k in range(COLUMNS):
            scores += columns[:, k : k + width, k]
        return scores[None]


def _filled_up(weights: NDArray[np.float32], bias: NDArray[np.float32]) -> Weights:
    """Fill up filters and channels with zeros to a multiple of LANES."""
    filters, channels = (-size % LANES for size in weights.shape[:2])
    return np.pad(weights, ((0, filters), (0, channels), (0, 0), (0, 0))), np.pad(bias, (0, filters))


def _layers(filters: list[Filters], height: int, width: int) -> list[Layer]:
    """Return the layers for canvases of one size; the last one's maps are the scores of each column."""
    layers: list[Layer] = []
    maps = Maps(height, width, 3)
    for number, one in enumerate(filters):
        before = maps
        if number < STRIDED:
            height, width = ((side - one.rows) // 2 + 1 for side in (height, width))
        if number < STRIDED - 1:
            maps = Maps(height, width, one.count, tile=2 * TILE, after=4)
            padding = (0, 0)
        else:
            border = filters[min(number + 1, len(filters) - 1)].rows // 2
            maps = Maps(height, width, one.count, border=border, tile=TILE)
            padding = (before.border, before.border if one.columns > 1 else 0)
        layers.append(convolution(before, maps, one, padding=padding, relu=number < len(filters) - 1))
    return layers


@kernel
def _interleave(planes: Floats, pixels: Floats) -> None:
    """Write (3, height, width) as (height, width, 3)."""
    _, height, width = planes.shape
    for y in range(height):
        for x in range(width):
            for c in range(3):
                pixels[y, x, c] = planes[c, y, x]
