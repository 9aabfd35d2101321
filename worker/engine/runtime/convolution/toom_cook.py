"""The matrices of Winograd's minimal filtering F(m, r), computed from points in exact fractions.

m results of a filter of r taps take m + r - 1 multiplications instead of m * r:
`results = A.T @ ((G @ filter) * (B.T @ inputs))`. That is Toom and Cook's multiplication of polynomials,
transposed: both factors are evaluated at m + r - 1 points, one of them infinity, and multiplied there.
Source: A. Lavin and S. Gray, "Fast Algorithms for Convolutional Neural Networks", 2015; S. Winograd, "Arithmetic
Complexity of Computations", 1980.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np
from numpy.typing import NDArray

POINTS = tuple(map(Fraction, ("0", "1", "-1", "2", "-2", "1/2", "-1/2")))
"""Small numbers and their inverses, in pairs of opposite sign: exact in binary, and sums of half the terms serve
two rows."""


@dataclass(frozen=True, eq=False)
class Filtering:
    """F(m, r) in float64: `results` is A.T (m, n), `filters` is G (n, r), `inputs` is B.T (n, n); n = m + r - 1."""

    results: NDArray[np.float64]
    filters: NDArray[np.float64]
    inputs: NDArray[np.float64]


def filtering(m: int, r: int) -> Filtering:
    """Return the matrices of F(m, r), those of the inputs in whole numbers."""
    n = m + r - 1
    inverse = _lagrange(POINTS[: n - 1])
    scales = [lcm(*(value.denominator for value in row)) for row in inverse]
    inputs = [[value * scale for value in row] for row, scale in zip(inverse, scales, strict=True)]
    filters = [[value / scale for value in row] for row, scale in zip(_powers(n, r), scales, strict=True)]
    results = list(zip(*_powers(n, m), strict=True))
    return Filtering(*(np.array(matrix, np.float64) for matrix in (results, filters, inputs)))


def _powers(n: int, terms: int) -> list[list[Fraction]]:
    """Return the values of x**0, x**1, ... at each point; at infinity only the last one counts."""
    finite = [[point**power for power in range(terms)] for point in POINTS[: n - 1]]
    return [*finite, [Fraction(power == terms - 1) for power in range(terms)]]


def _lagrange(points: tuple[Fraction, ...]) -> list[list[Fraction]]:
    """Return the coefficients of the polynomials that are 1 at one point and 0 at the others; infinity is last."""
    rows = []
    for point in points:
        others = [other for other in points if other != point]
        scale = Fraction(1)
        for other in others:
            scale /= point - other
        rows.append([scale * value for value in (*_product(others), Fraction(0))])
    return [*rows, _product(points)]


def _product(roots: tuple[Fraction, ...] | list[Fraction]) -> list[Fraction]:
    """Return the coefficients, lowest first, of the polynomial with these roots."""
    coefficients = [Fraction(1)]
    for root in roots:
        shifted = [Fraction(0), *coefficients]
        scaled = [*(root * value for value in coefficients), Fraction(0)]
        coefficients = [a - b for a, b in zip(shifted, scaled, strict=True)]
    return coefficients
