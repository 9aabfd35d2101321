"""Writes predictors of landmarks as dlib serializes them."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from tests.support.models.dlib_writer import integer, integers

SPLITS, LEAVES = 15, 16


def floating(value: float) -> bytes:
    """A float32: 24 bits of mantissa."""
    mantissa, exponent = math.frexp(np.float32(value))
    return integers(int(mantissa * 2**24), exponent - 24)


def floats(values: Iterable[float]) -> bytes:
    return b"".join(map(floating, values))


def column(values: Iterable[float]) -> bytes:
    """A matrix of one column: dlib writes the sizes of matrices with a minus."""
    listed = list(values)
    return integers(-len(listed), -1) + floats(listed)


def vector(elements: Iterable[bytes]) -> bytes:
    listed = list(elements)
    return integer(len(listed)) + b"".join(listed)


def made_up(points: int, pixels: int, forests: int = 2, trees: int = 3, *, leaves: int = LEAVES) -> bytes:
    """A predictor of random trees over random pixels."""
    rng = np.random.default_rng(points)

    def split() -> bytes:
        return integers(*map(int, rng.integers(0, pixels, 2))) + floating(rng.normal(0, 60))

    def tree() -> bytes:
        moves = [column(rng.normal(0, 0.02, 2 * points)) for _ in range(leaves)]
        return vector(split() for _ in range(leaves - 1)) + vector(moves)

    forest = [vector(tree() for _ in range(trees)) for _ in range(forests)]
    anchors = [vector(integer(int(k)) for k in rng.integers(0, points, pixels)) for _ in range(forests)]
    offsets = [vector(floats(pair) for pair in rng.normal(0, 0.1, (pixels, 2))) for _ in range(forests)]
    initial = column(rng.uniform(0, 1, 2 * points))
    return integer(1) + initial + vector(forest) + vector(anchors) + vector(offsets)
