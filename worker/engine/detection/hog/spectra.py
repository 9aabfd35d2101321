"""The sub-detectors' weights as Fourier transforms.

What comes out of transforms is not the score but near it, and how near is proven here: no window's score can be
further away than `Spectra.slack`, whatever the picture. So windows below their threshold by more than the slack are
done with, nearly all; only the others are scored by adding up their products.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from worker.engine.detection.hog.fourier import SIDE
from worker.engine.detection.hog.weights import DETECTORS, PLANES, WINDOW, Filters

DEPTH = 32  # numbers of a cell: its planes, and a zero

# A tile's scores, as one vector, are off by at most LOST times the sum over planes of |features| times the largest
# |transform of the weights|. Proof, in units of u = 2^-24, where |numbers| is their Euclidean norm (N. Higham,
# "Accuracy and Stability of Numerical Algorithms", 2002, section 24.1):
# - A level of a transform turns one number of two and adds it to the other and subtracts it. The turn is made of a
#   quotient of sine and cosine, which is 1 at most, and of the larger of them, each rounded once, and of three
#   operations, the sum included; fused or not, each part of the result is off by at most 8u (|one| + |other|). So
#   both results are off by 16u of their norm. Each of the four transforms has 5 levels.
# - Adding up the planes' products rounds no number more than 2 * DEPTH times.
# All is counted twice; that is far more than the weights' own rounding and the products of errors amount to.
LOST = 2 * (20 * 16 + 2 * DEPTH) * 2.0**-24


class Spectra(NamedTuple):
    """The weights of all sub-detectors."""

    products: NDArray[np.float32]  # (KEPT * SIDE * DETECTORS * 2 * DEPTH,): what transforms are multiplied by
    dense: NDArray[np.float32]  # (DETECTORS * WINDOW * WINDOW * DEPTH,): the weights themselves
    slack: NDArray[
        np.float64
    ]  # (DETECTORS,): the largest difference of a score by transforms from one by products


def spectra(filters: Filters) -> Spectra:
    """Return the transforms of these filters, and what can be lost by them."""
    dense = _dense(filters)
    padded = np.zeros((DETECTORS, SIDE, SIDE, DEPTH))
    padded[:, :WINDOW, :WINDOW] = dense
    # conjugates, because windows are compared and not convolved; columns before rows, as features are transformed
    transforms = np.fft.fft(np.fft.rfft(padded, axis=2), axis=1).conj().transpose(2, 1, 0, 3)
    parts = np.stack([transforms.real, transforms.imag], axis=3) / SIDE**2
    most = np.abs(transforms).max(axis=(0, 1))
    return Spectra(
        products=parts.astype(np.float32).ravel(),
        dense=dense.astype(np.float32).ravel(),
        slack=LOST * SIDE * most[:, :PLANES] @ _largest_features() + 1e-4,
    )


def _dense(filters: Filters) -> NDArray[np.float64]:
    """Return the weights (DETECTORS, WINDOW, WINDOW, DEPTH) that the separable filters add up to."""
    along, down = (x.reshape(-1, WINDOW).astype(np.float64) for x in (filters.rows, filters.columns))
    plane = np.repeat(np.arange(PLANES), np.diff(filters.first))
    dense = np.zeros((DETECTORS, DEPTH, WINDOW, WINDOW))
    np.add.at(dense, (filters.detector, plane), down[:, :, None] * along[:, None, :])
    return dense.transpose(0, 2, 3, 1)


def _largest_features() -> NDArray[np.float64]:
    """Four blocks give 0.1 each to planes 0..26, one block 0.1 for each of 18 directions to 27..30, at most."""
    return np.where(np.arange(PLANES) < 27, 0.4, 18 * 0.1 * 2 * 0.2357)
