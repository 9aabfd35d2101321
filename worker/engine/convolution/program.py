"""A network's layers as a program of steps, with room for what flows between them."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from worker.engine.convolution.product import PANELS, ROWS
from worker.engine.convolution.steps import DIRECT, GATHERED, LARGEST, MEAN, READ, STEP, WINOGRAD, run
from worker.engine.convolution.toom_cook import filtering
from worker.engine.convolution.transform import APART, KINDS

OVERREAD = 4096
"""Numbers after the last maps that a block of eight results may read, though not use."""


@dataclass(frozen=True, eq=False)
class Maps:
    """Maps of a picture's features, the channels of a pixel side by side, within a border of zeros.

    Below and at the right the border also makes room for whole tiles. No step writes to a border. Shared maps are
    used by one picture after the other.
    """

    height: int
    width: int
    channels: int
    border: int = 0
    tile: int = 1
    shared: bool = False

    @property
    def pitch(self) -> int:
        """Pixels of a row, border included."""
        return -(-self.width // self.tile) * self.tile + 2 * self.border

    @property
    def area(self) -> int:
        """Numbers of one picture."""
        return (-(-self.height // self.tile) * self.tile + 2 * self.border) * self.pitch * self.channels

    @property
    def origin(self) -> int:
        """Where pixel (0, 0) is, from the begin of the picture."""
        return (self.border * self.pitch + self.border) * self.channels


@dataclass(frozen=True, eq=False)
class _Layer:
    source: Maps | None
    out: Maps
    fields: dict[str, int] = field(default_factory=dict)


class Program:
    """Layers in the order in which they were added; `run` carries them out."""

    def __init__(self) -> None:
        self._layers: list[_Layer] = []
        self._weights: list[NDArray[np.float32]] = []
        self._inputs = self._products = 0

    def read(self, out: Maps) -> None:
        """Add: read the pictures' bytes."""
        self._add(None, out, READ)

    def mean(self, source: Maps, out: Maps) -> None:
        """Add: the mean of each 2 x 2, into the first channels of `out`; zeros into the others."""
        self._add(source, out, MEAN)

    def largest(self, source: Maps, out: Maps) -> None:
        """Add: the largest of each 3 x 3, with stride 2."""
        self._add(source, out, LARGEST)

    def convolution(
        self,
        source: Maps,
        out: Maps,
        weights: NDArray[np.float32],
        bias: NDArray[np.float32],
        *,
        tile: int = 0,
        stride: int = 1,
        padding: int = 0,
        size: tuple[int, int] | None = None,
        add: bool = False,
        relu: bool = True,
    ) -> None:
        """Add: a convolution with weights (filters, channels, rows, columns) and bias (filters,).

        tile: results along the side of a tile, by Winograd's filtering; 0: by plain products.
        size: height and width of the results, where they do not fill `out`.
        add: to what `out` holds, before the ReLU.
        """
        filters, channels, rows, columns = weights.shape
        panel = next(panel for panel in PANELS if filters % panel == 0)
        height, width = size or (out.height, out.width)
        if tile:
            taps = (rows + stride - 1) // stride
            kind, numbers = KINDS.index((tile, taps)), _transformed(weights, tile, stride, panel)
            operation, depth, elements = WINOGRAD, stride**2 * channels, (tile + taps - 1) ** 2
        else:
            kind, numbers = 0, _panels(weights.transpose(0, 2, 3, 1).reshape(filters, -1), panel)
            operation, depth, elements = (
                GATHERED if channels % 16 == 0 else DIRECT,
                rows * columns * channels,
                1,
            )
        self._inputs = max(self._inputs, elements * (ROWS * depth + APART))
        self._products = max(self._products, elements * (ROWS * panel + APART))
        self._add(
            source, out, operation, height=height, width=width, rows=rows, columns=columns, stride=stride,
            padding=padding, weights=self._keep(numbers), bias=self._keep(bias), panel=panel, kind=kind,
            results=tile, add=add, relu=relu,
        )  # fmt: skip

    def _keep(self, numbers: NDArray[np.float32]) -> int:
        begin = sum(array.size for array in self._weights)
        self._weights.append(np.ascontiguousarray(numbers, np.float32).ravel())
        return begin

    def _add(self, source: Maps | None, out: Maps, operation: int, **fields: int) -> None:
        self._layers.append(_Layer(source, out, {"operation": operation, **fields}))

    def prepared(self, count: int) -> Prepared:
        """Return the program with room for `count` pictures at once."""
        maps = dict.fromkeys(one for layer in self._layers for one in (layer.source, layer.out) if one)
        positions, total = {}, 0
        for one in maps:
            positions[one] = total
            total += one.area * (1 if one.shared else count)
        in_turn = [
            layer for layer in self._layers if layer.out.shared or (layer.source and layer.source.shared)
        ]
        together = self._layers[len(in_turn) :]
        return Prepared(
            positions,
            _steps(in_turn, positions),
            _steps(together, positions),
            np.zeros(total + OVERREAD, np.float32),
            np.concatenate([np.empty(0, np.float32), *self._weights]),
            np.empty(self._inputs, np.float32),
            np.empty(self._products, np.float32),
        )


@dataclass(frozen=True, eq=False)
class Prepared:
    """A program ready to run, for as many pictures as it has room for."""

    positions: dict[Maps, int]
    in_turn: NDArray[np.void]  # steps for one picture after the other
    together: NDArray[np.void]  # the steps that follow, each for all pictures
    numbers: NDArray[np.float32]
    weights: NDArray[np.float32]
    inputs: NDArray[np.float32]
    products: NDArray[np.float32]

    def run(self, pixels: NDArray[np.uint8], count: int) -> None:
        """Carry out all steps for `count` pictures, whose bytes are `pixels` if the program reads any."""
        arrays = self.numbers, self.weights, pixels, self.inputs, self.products
        for picture in range(count):
            run(self.in_turn, *arrays, picture, picture + 1)
        run(self.together, *arrays, 0, count)

    def maps(self, maps: Maps, count: int) -> NDArray[np.float32]:
        """Return what is in the maps of the first pictures, (count, height, width, channels), to read or write."""
        begin = self.positions[maps]
        shape = count, -1, maps.pitch, maps.channels
        whole = self.numbers[begin : begin + count * maps.area].reshape(shape)
        rows, columns = (slice(maps.border, maps.border + side) for side in (maps.height, maps.width))
        return whole[:, rows, columns]


def _steps(layers: list[_Layer], positions: dict[Maps, int]) -> NDArray[np.void]:
    steps = np.zeros(len(layers), STEP)
    for step, layer in zip(steps, layers, strict=True):
        source, out = layer.source or layer.out, layer.out
        fields = {
            "source": positions[source] + source.origin,
            "area": 0 if source.shared else source.area,
            "pitch": source.pitch,
            "channels": source.channels,
            "out": positions[out] + out.origin,
            "out_area": 0 if out.shared else out.area,
            "out_pitch": out.pitch,
            "filters": out.channels,
            "height": out.height,
            "width": out.width,
            **layer.fields,
        }
        for name, value in fields.items():
            step[name] = value
    return steps


def _transformed(weights: NDArray[np.float32], tile: int, stride: int, panel: int) -> NDArray[np.float32]:
    """Return filters as Winograd's filtering multiplies with them: by panels, elements, and channels.

    The phases of a stride become channels: tap k * stride + p of a filter is tap k of phase p.
    """
    filters, channels, side, _ = weights.shape
    taps = (side + stride - 1) // stride
    missing = taps * stride - side
    whole = np.pad(weights.astype(np.float64), ((0, 0), (0, 0), (0, missing), (0, missing)))
    phases = whole.reshape(filters, channels, taps, stride, taps, stride).transpose(0, 3, 5, 1, 2, 4)
    matrix = filtering(tile, taps).filters
    depth = stride**2 * channels
    spread = np.einsum(
        "ia,fdab,jb->fijd", matrix, phases.reshape(filters, depth, taps, taps), matrix, optimize=True
    )
    return _panels(spread.reshape(filters, -1), panel)


def _panels(rows: NDArray[np.float64] | NDArray[np.float32], panel: int) -> NDArray[np.float32]:
    """Return (filters, numbers) as products read it: by panels, numbers, filters."""
    by_panel = rows.reshape(len(rows) // panel, panel, -1).transpose(0, 2, 1)
    return np.ascontiguousarray(by_panel, np.float32)
