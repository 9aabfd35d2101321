"""People whose distances are known."""

from __future__ import annotations

from math import sqrt
from statistics import NormalDist

import numpy as np

SIZE = 0.82 / sqrt(2 * 128)  # standard deviation of a number of an encoding, so that two faces lie 0.82 apart


def gaussian_share(tolerance: float, dimensions: int = 128) -> float:
    """How many pairs of normally distributed faces are within it, by Wilson and Hilferty's formula."""
    spread = 2 / (9 * dimensions)
    cube = (tolerance**2 / (2 * SIZE**2 * dimensions)) ** (1 / 3)
    return NormalDist(1 - spread, sqrt(spread)).cdf(cube)


def people(count: int, pictures: int) -> tuple[np.ndarray[tuple[int, ...], np.dtype[np.float32]], int]:
    """Faces of so many people, and how many pairs are of one person: all of those match."""
    rng = np.random.default_rng(4)
    centres = np.repeat(rng.normal(size=(count, 128)) * SIZE, pictures, axis=0)
    faces = centres + rng.normal(size=centres.shape) * SIZE / 10
    return (faces / sqrt(1.01)).astype(np.float32), count * pictures * (pictures - 1) // 2
