"""What dlib's networks consist of, as `worker.engine.conversion.dlib_format` reads them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from worker.engine.conversion.dlib_stream import Floats, Pair


@dataclass(frozen=True, eq=False)
class Convolution:
    """Cross-correlation with `weights` (filters, channels, rows, columns), plus `bias` (filters,)."""

    weights: Floats
    bias: Floats
    stride: Pair
    padding: Pair


@dataclass(frozen=True, eq=False)
class Affine:
    """`gamma * x + beta`, one of each a channel; in double precision where the file holds a batch norm."""

    gamma: NDArray[np.float64]
    beta: NDArray[np.float64]


@dataclass(frozen=True)
class Relu:
    """`max(x, 0)`."""


@dataclass(frozen=True)
class Pool:
    """Maximum or average over windows of `size`; the size (0, 0) is the whole plane."""

    kind: Literal["max", "avg"]
    size: Pair
    stride: Pair
    padding: Pair


@dataclass(frozen=True)
class AddPrevious:
    """Adds an earlier layer's output; which one follows from the architecture, not from the file."""


@dataclass(frozen=True, eq=False)
class FullyConnected:
    """`flatten(x) @ weights`, plus `bias` (outputs,) if there is one; `weights` (inputs, outputs)."""

    weights: Floats
    bias: Floats | None = None


@dataclass(frozen=True)
class Multiply:
    """`factor * x`."""

    factor: float


@dataclass(frozen=True)
class Link:
    """A tag, or the skip to one: the file does not tell them apart."""


Layer: TypeAlias = Convolution | Affine | Relu | Pool | AddPrevious | FullyConnected | Multiply | Link


@dataclass(frozen=True)
class Input:
    """An RGB picture; each channel's mean is taken away before the division by 256.

    `size`, rows and columns, is None where the network takes pictures of any size.
    """

    name: str
    means: tuple[float, float, float]
    size: Pair | None = None


@dataclass(frozen=True)
class Loss:
    """What the network was trained for; a detector has a window (width, height) and an overlap of boxes."""

    name: str
    window: Pair | None = None
    overlap: float | None = None


@dataclass(frozen=True, eq=False)
class DlibNetwork:
    """A network, its layers in order from the input to the output."""

    loss: Loss
    input: Input
    layers: tuple[Layer, ...]
