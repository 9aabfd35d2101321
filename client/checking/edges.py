"""Edges between pictures as numbers: from picture `a` to picture `b` of `width` pictures is `a * width + b`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int64]


def codes(first: NDArray[np.int64], second: NDArray[np.int64], width: int) -> Codes:
    """Edges, sorted and each once."""
    return np.unique(first * width + second)


def both_ways(edges: Codes, width: int) -> Codes:
    """The edges and their reverse, sorted and each once."""
    first, second = np.divmod(edges, max(width, 1))
    return np.union1d(edges, second * width + first)
