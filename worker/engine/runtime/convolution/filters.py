"""Filters as the kernels read them, all of a network in one array."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.engine.runtime.convolution.product import LANES, PANELS, ROWS
from worker.engine.runtime.convolution.record import DIRECT, GATHERED, WINOGRAD
from worker.engine.runtime.convolution.toom_cook import filtering
from worker.engine.runtime.convolution.transform import APART, KINDS


@dataclass(frozen=True)
class Filters:
    """One layer's filters: how they are computed with, and where in the bank their numbers lie."""

    operation: int
    count: int
    rows: int
    columns: int
    stride: int
    panel: int
    weights: int
    bias: int
    kind: int
    results: int
    inputs_room: int
    products_room: int


class Bank:
    """The filters of a network."""

    def __init__(self) -> None:
        self._arrays: list[NDArray[np.float32]] = []
        self._size = 0

    @property
    def numbers(self) -> NDArray[np.float32]:
        """All weights and biases."""
        return np.concatenate([np.empty(0, np.float32), *self._arrays])

    def add(
        self, weights: NDArray[np.float32], bias: NDArray[np.float32], *, stride: int = 1, tile: int = 0
    ) -> Filters:
        """Take in weights (filters, channels, rows, columns) and bias (filters,).

        tile: how many results along its side a tile of Winograd's filtering has; 0: plain products.
        """
        filters, channels, rows, columns = weights.shape
        panel = next(panel for panel in PANELS if filters % panel == 0)
        if tile:
            taps = -(-rows // stride)
            kind, operation = KINDS.index((tile, taps)), WINOGRAD
            elements, depth = (tile + taps - 1) ** 2, stride**2 * channels
            numbers = _transformed(weights, tile, taps, stride)
        else:
            kind, operation = 0, DIRECT if channels % LANES else GATHERED
            elements, depth = 1, rows * columns * channels
            numbers = weights.transpose(0, 2, 3, 1).astype(np.float64)
        by_panel = numbers.reshape(filters // panel, panel, -1).transpose(0, 2, 1)
        return Filters(
            operation, filters, rows, columns, stride, panel, self._keep(by_panel), self._keep(bias), kind, tile,
            inputs_room=elements * (ROWS * depth + APART), products_room=elements * (ROWS * panel + APART),
        )  # fmt: skip

    def _keep(self, numbers: NDArray[np.floating]) -> int:
        begin = self._size
        self._arrays.append(np.ascontiguousarray(numbers, np.float32).ravel())
        self._size += numbers.size
        return begin


def _transformed(weights: NDArray[np.float32], tile: int, taps: int, stride: int) -> NDArray[np.float64]:
    """Return filters (filters, tile + taps - 1, tile + taps - 1, channels) as Winograd multiplies with them.

    The phases of a stride become channels: tap k * stride + p of a filter is tap k of phase p.
    """
    filters, channels, side, _ = weights.shape
    missing = (0, taps * stride - side)
    whole = np.pad(weights.astype(np.float64), ((0, 0), (0, 0), missing, missing))
    phases = whole.reshape(filters, channels, taps, stride, taps, stride).transpose(0, 3, 5, 1, 2, 4)
    matrix = filtering(tile, taps).filters
    flat = phases.reshape(filters, stride**2 * channels, taps, taps)
    transformed: NDArray[np.float64] = np.einsum("ia,fdab,jb->fijd", matrix, flat, matrix, optimize=True)
    return transformed
