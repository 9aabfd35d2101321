"""A network's layers as a program of steps, with room for what flows between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from worker.engine.runtime.convolution.filters import Filters
from worker.engine.runtime.convolution.record import LARGEST, MEAN, READ, STEP, WINOGRAD
from worker.engine.runtime.convolution.steps import run

OVERREAD = 4096
"""Numbers after the last maps that a block of eight results may read, though not use."""


@dataclass(frozen=True, eq=False)
class Maps:
    """Maps of a picture's features, the channels of a pixel side by side, within a border of zeros.

    Height and width are filled up to whole tiles of `tile` pixels, then follow `after` pixels more. No step writes
    there. Shared maps are used by one picture after the other.
    """

    height: int
    width: int
    channels: int
    border: int = 0
    tile: int = 1
    after: int = 0
    shared: bool = False

    @property
    def rows(self) -> int:
        """Rows, border included."""
        return -(-self.height // self.tile) * self.tile + 2 * self.border + self.after

    @property
    def pitch(self) -> int:
        """Pixels of a row, border included."""
        return -(-self.width // self.tile) * self.tile + 2 * self.border + self.after

    @property
    def area(self) -> int:
        """Numbers of one picture."""
        return self.rows * self.pitch * self.channels

    @property
    def origin(self) -> int:
        """Where pixel (0, 0) is, from the begin of the picture."""
        return (self.border * self.pitch + self.border) * self.channels


@dataclass(frozen=True, eq=False)
class Layer:
    """An operation from maps to maps; `fields` are those of a step."""

    operation: int
    source: Maps | None
    out: Maps
    filters: Filters | None = None
    fields: dict[str, int] = field(default_factory=dict)

    @property
    def multiply_adds(self) -> int:
        """Multiply-adds of the products for one picture, without what Winograd's filtering adds around them."""
        if not (self.filters and self.source):
            return 0
        rows, columns, stride = self.filters.rows, self.filters.columns, self.filters.stride
        down, across = self.fields["height"], self.fields["width"]
        if self.filters.operation == WINOGRAD:
            size = self.filters.results
            down, across = -(-down // size), -(-across // size)
            rows = columns = (size + (rows - 1) // stride) * stride
        return down * across * rows * columns * self.source.channels * self.out.channels

    def step(self, positions: dict[Maps, int]) -> dict[str, int]:
        """Return the step for maps that lie where `positions` says."""
        source, out, filters = self.source or self.out, self.out, self.filters
        fields = {
            "operation": self.operation,
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
        }
        if filters:
            fields |= {name: getattr(filters, name) for name in STEP.names or () if hasattr(filters, name)}
        return fields | self.fields


def read(out: Maps) -> Layer:
    """Read the pictures' bytes."""
    return Layer(READ, None, out)


def mean(source: Maps, out: Maps) -> Layer:
    """Write the mean of each 2 x 2 into the first channels of `out`, and zeros into the others."""
    return Layer(MEAN, source, out)


def largest(source: Maps, out: Maps) -> Layer:
    """Write the largest of each 3 x 3, with stride 2."""
    return Layer(LARGEST, source, out)


def convolution(
    source: Maps,
    out: Maps,
    filters: Filters,
    *,
    padding: tuple[int, int] = (0, 0),
    size: tuple[int, int] | None = None,
    add: bool = False,
    relu: bool = True,
) -> Layer:
    """Convolve.

    padding: rows above and columns before the map that the first result begins at; part of the map's border.
    size: height and width of the results, where they do not fill `out`.
    add: to what `out` holds, before the ReLU.
    """
    height, width = size or (out.height, out.width)
    fields = {"height": height, "width": width, "above": padding[0], "before": padding[1]}
    return Layer(filters.operation, source, out, filters, {**fields, "add": add, "relu": relu})


class Program:
    """Layers, with room for a number of pictures; `run` carries them out in order."""

    def __init__(
        self,
        layers: Sequence[Layer],
        weights: NDArray[np.float32],
        count: int = 1,
        *,
        before: Program | None = None,
    ) -> None:
        """Prepare layers whose filters lie in `weights`; those with shared maps come first.

        before: a program that is not used any more, whose memory this one takes over if it is enough.
        """
        self.room = count
        """How many pictures there is room for."""
        self._positions, size = _positions(layers, count)
        self.numbers: NDArray[np.float32] = before.numbers if before else np.empty(0, np.float32)
        """All maps."""
        self._weights = weights
        if self.numbers.size < size + OVERREAD:
            self.numbers = np.zeros(size + OVERREAD, np.float32)
        else:
            self._clear_borders()
        filters = [layer.filters for layer in layers if layer.filters]
        self._inputs = np.empty(max((one.inputs_room for one in filters), default=0), np.float32)
        self._products = np.empty(max((one.products_room for one in filters), default=0), np.float32)
        shared = [layer for layer in layers if layer.out.shared or (layer.source and layer.source.shared)]
        self._in_turn = _steps(shared, self._positions)
        self._together = _steps(layers[len(shared) :], self._positions)

    def _clear_borders(self) -> None:
        for maps in self._positions:
            whole = self.whole(maps, 1 if maps.shared else self.room)
            for along_y in (whole, whole.transpose(0, 2, 1, 3)):
                side = maps.height if along_y is whole else maps.width
                along_y[:, : maps.border] = 0
                along_y[:, maps.border + side :] = 0

    def run(self, pixels: NDArray[np.uint8], count: int) -> None:
        """Carry out all layers for `count` pictures, whose bytes are `pixels` if any layer reads them."""
        arrays = self.numbers, self._weights, pixels, self._inputs, self._products
        for picture in range(count):
            run(self._in_turn, *arrays, picture, picture + 1)
        run(self._together, *arrays, 0, count)

    def maps(self, maps: Maps, count: int) -> NDArray[np.float32]:
        """Return what is in the maps of the first pictures, (count, height, width, channels), to read or write."""
        rows, columns = (slice(maps.border, maps.border + side) for side in (maps.height, maps.width))
        return self.whole(maps, count)[:, rows, columns]

    def whole(self, maps: Maps, count: int) -> NDArray[np.float32]:
        """Return the maps of the first pictures with their border, (count, rows, pitch, channels)."""
        begin = self._positions[maps]
        numbers = self.numbers[begin : begin + count * maps.area]
        return numbers.reshape(count, maps.rows, maps.pitch, maps.channels)


def _positions(layers: Sequence[Layer], count: int) -> tuple[dict[Maps, int], int]:
    """Return where all maps begin, and where they end."""
    positions: dict[Maps, int] = {}
    size = 0
    for maps in dict.fromkeys(one for layer in layers for one in (layer.source, layer.out) if one):
        positions[maps] = size
        size += maps.area * (1 if maps.shared else count)
    return positions, size


def _steps(layers: Sequence[Layer], positions: dict[Maps, int]) -> NDArray[np.void]:
    steps = np.zeros(len(layers), STEP)
    for step, layer in zip(steps, layers, strict=True):
        for name, value in layer.step(positions).items():
            step[name] = value
    return steps
