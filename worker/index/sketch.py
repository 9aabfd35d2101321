"""A 46-byte sketch of each face, by which nearly all faces are excluded without being read.

Why no match is ever excluded
-----------------------------
Write y(x) = P x - c for a face x, where P has 64 rows and never makes a vector longer, so that
|y(q) - y(x)| <= |q - x|. A sketch is an integer vector n with s n close to y(x), a query's one is m with t m close
to y(q). Let e >= |y(x) - s n| and f >= |y(q) - t m| be what the rounding has lost. If x matches q, within T, then
by the triangle inequality |t m - s n| <= T + e + f, and squared out, with f <= F for a bound F on all queries,

    2 s t (n . m)  >=  [s^2 |n|^2 - e^2 - 2 e (T + F)]  +  [t^2 |m|^2 - (T + f)^2].

The first bracket depends on the face alone and is kept beside its sketch, the second on the query alone. So the
face is excluded when an integer dot product lies under a sum of two integers: exact arithmetic, nothing to round.
A query with f > F gets a second term so low that it excludes nothing.

What is rounded, and where it went:
- T is the tolerance times 1 + 1e-9: the float64 distance that decides is within 1e-14 of the true one, relatively.
- P is divided by sqrt(1 + |P P' - I|), an upper bound of its norm (that is at most the Frobenius norm, computed to
  1e-13, and 1e-12 are added), whatever the eigenvectors that it was made from are worth.
- P x - c in float64 is off by less than 64 * 2^-52 * 128 * (|x| + |c|) < 2e-12 (|x| + |c|), in any order of
  summation; e and f are raised by a thousand times that, and by a relative 1e-9.
- The brackets, divided by 2 s t, are rounded down by one and more; in the range that is not cut off they are less
  than 2^20, so float64 has them to 1e-9. Cut off, they are lower than they should be, or `ALWAYS`.
- What overflows or is not a number becomes `ALWAYS`.

Why few others are left
-----------------------
The encodings of dlib's network vary in 78 of their 128 dimensions, and the first 64 principal ones hold 97.5% of
the variance. The first 32 take 6 bits each, the next 32 take 5: with the same step s, since the latter vary half
as much. Within each half a random rotation spreads the variance evenly over its dimensions. The rounding error is
then about 0.022 and the query's 0.007, against a tolerance of 0.6.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.index.scan import QUADS, UNIT

HALF = 2 * QUADS  # dimensions of 6 bits; as many of 5 bits follow
CENTRES = np.repeat([32, 16], HALF)  # the level that stands for 0; a level is 0..63, or 0..31
MOST_LEVEL = np.array(127)  # of a query

ALWAYS = -(
    2**15
)  # a face's term with which it survives every query: 16 * 2^15 > the largest dot product + MOST
NOTHING = -(2**30)  # a query's term with which it excludes no face
MOST = 2**17  # a query's term is cut off here: the largest dot product is 127 * 32 * (63 + 31) < 2^19 - 2^17

SLACK = 1e-9


@dataclass(frozen=True)
class Sketcher:
    """How the faces of one distribution are projected and rounded."""

    rows: NDArray[np.float64]  # (64, 128): P
    middle: NDArray[np.float64]  # (64,): c
    step: float  # s
    query_step: float  # t
    reach: float  # T

    @classmethod
    def fitted(cls, sample: NDArray[np.float32], tolerance: float) -> "Sketcher":
        """Fit a sample of faces, (n, 128) with n > 0. Any sample is safe; one unlike the faces is only slow."""
        values = sample.astype(np.float64)
        mean = values.mean(axis=0)
        variance, axes = np.linalg.eigh((values - mean).T @ (values - mean) / len(values))
        rows = np.concatenate([_turned(axes[:, -HALF:].T), _turned(axes[:, -2 * HALF : -HALF].T)])
        rows /= np.sqrt(1 + np.linalg.norm(rows @ rows.T - np.eye(2 * HALF)) + 1e-12)
        spread = np.sqrt(np.maximum(variance, 0))
        first, second = (np.sqrt(np.mean(half**2)) for half in (spread[-HALF:], spread[-2 * HALF : -HALF]))
        # 0.104 and 0.188 deviations: the best steps for 64 and 32 levels of a normal distribution (Max, 1960).
        step = max(0.104 * first, 0.188 * second) or tolerance / HALF or 1.0
        return cls(rows, rows @ mean, step, max(4 * first, HALF * step) / 127, tolerance * (1 + SLACK))

    def faces(self, encodings: NDArray[np.float32]) -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
        """Sketch known faces, (n, 128): packed levels, (n, 11, 4), and terms, (n,)."""
        levels, error = self._rounded(encodings, self.step, -CENTRES, CENTRES - 1)
        size = self.step**2 * (levels**2).sum(axis=1)
        bracket = size - error**2 - 2 * error * (self.reach + self._most_error)
        terms = np.floor(self._counted(bracket) / UNIT)
        return _packed((levels + CENTRES).astype(np.uint8)), np.clip(terms, ALWAYS, -ALWAYS - 1).astype(
            np.int16
        )

    def queries(self, encodings: NDArray[np.float32]) -> tuple[NDArray[np.int8], NDArray[np.int32]]:
        """Sketch query faces, (n, 128): integers, (n, 64), and terms, (n,)."""
        levels, error = self._rounded(encodings, self.query_step, -MOST_LEVEL, MOST_LEVEL)
        size = self.query_step**2 * (levels**2).sum(axis=1)
        terms = self._counted(size - (self.reach + error) ** 2) + levels @ CENTRES
        terms = np.where(error <= self._most_error, np.clip(terms, NOTHING, MOST), NOTHING)
        return levels.astype(np.int8), terms.astype(np.int32)

    @property
    def _most_error(self) -> float:
        """F: twice what rounding alone can lose, so that a query may also lie somewhat out of range."""
        return self.query_step * float(np.sqrt(2 * HALF))

    def _rounded(
        self, encodings: NDArray[np.float32], step: float, low: NDArray[np.int64], high: NDArray[np.int64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        values = encodings.astype(np.float64)
        places = values @ self.rows.T - self.middle
        levels = np.clip(np.rint(places / step), low, high)
        error = np.linalg.norm(places - step * levels, axis=1)
        size = np.linalg.norm(values, axis=1) + np.linalg.norm(self.middle)
        return levels, (error + size * SLACK) * (1 + SLACK)

    def _counted(self, bracket: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.floor(bracket / (2 * self.step * self.query_step)) - 1


def _turned(axes: NDArray[np.float64]) -> NDArray[np.float64]:
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(HALF, HALF)))
    return turn @ axes


def _packed(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pack (n, 64) levels into (n, 11, 4) bytes: byte i of each vector is about dimension i of its quads."""
    quads = levels.reshape(-1, QUADS, 4)
    nibbles = (quads[:, 0::2] & 15) | (quads[:, 1::2] << 4)
    eights = quads.reshape(-1, 2, QUADS // 2, 4)
    fifths = np.packbits(eights >> 4 & 1, axis=2, bitorder="little")[:, :, 0]
    sixths = np.packbits(eights[:, 0] >> 5, axis=1, bitorder="little")
    return np.concatenate([nibbles, fifths, sixths], axis=1)
