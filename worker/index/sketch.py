"""Two sketches of each face, by which nearly all faces are excluded without being read: 34 bytes, then 14 more.

Why no match is ever excluded
-----------------------------
Write y(x) = P x - c for a face x, where P has 64 rows and never makes a vector longer, so that
|y(q) - y(x)| <= |q - x|. A sketch is a vector n with s n close to y(x), a query's one is m with t m close
to y(q). Let e >= |y(x) - s n| and f >= |y(q) - t m| be what the rounding has lost. If x matches q, within T, then
by the triangle inequality |t m - s n| <= T + e + f, and squared out, with f <= F for a bound F on all queries,

    2 s t (n . m)  >=  [s^2 |n|^2 - e^2 - 2 e (T + F)]  +  [t^2 |m|^2 - (T + f)^2].

The first bracket depends on the face alone and is kept beside its sketch, the second on the query alone. With
n = l - o for integer levels l and an offset o that all faces share, n . m is l . m - o . m, and o . m goes to the
query. So the face is excluded when an integer dot product lies under a sum of two integers: exact arithmetic,
nothing to round. A query with f > F gets a second term so low that it excludes nothing.

That holds for both sketches. The coarse one has four bits a dimension, l = 0..15 with the step 4 s. The fine one
has two bits more for the first 32 dimensions and one bit more for the others, l = 4 * coarse + 0..3 or 0, 2, with
the step s; its dot product is four times the coarse one and what the finer bits add.

What is rounded, and where it went:
- T is the tolerance times 1 + 1e-9: the float64 distance that decides is within 1e-14 of the true one, relatively.
- P is divided by sqrt(1 + |P P' - I|), an upper bound of its norm (that is at most the Frobenius norm, computed to
  1e-13, and 1e-12 are added), whatever the eigenvectors that it was made from are worth.
- P x - c in float64 is off by less than 64 * 2^-52 * 128 * (|x| + |c|) < 2e-12 (|x| + |c|), in any order of
  summation; e and f are raised by a thousand times that, and by a relative 1e-9.
- The brackets, divided by 2 s t, are rounded down by one and more; in the range that is not cut off they are less
  than 2^20, so float64 has them to 1e-9. Cut off, they are lower than they should be, or `ALWAYS`.
- What overflows or is not a number becomes `ALWAYS`.
- A coarse dot product is the sum of two that 16 bits must hold, each of every second pair of dimensions. A query
  whose numbers are so large that they might not excludes nothing.

Why few others are left
-----------------------
The encodings of dlib's network vary in 78 of their 128 dimensions, and the first 64 principal ones hold 97.5% of
the variance. A random rotation spreads it evenly over the 64. The coarse sketch errs by about 0.06, against a
tolerance of 0.6, and leaves one face in twenty; the fine one errs by 0.03 and leaves one in fifty. One in two
hundred matches.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from worker.index.layout import COARSE_UNIT, FINE, FINE_UNIT, QUADS, Asked

LEVELS = 4 * QUADS  # dimensions of a sketch
HALF = LEVELS // 2  # dimensions that have six bits in the fine sketch; the others have five
COARSE_OFFSET = 7.5
FINE_OFFSETS = np.repeat([31.5, 31], HALF)
MAX_LEVEL = 127  # of a query
MAX_SUM = (2**15 - 1) // 15  # of a query's numbers that meet in one sum of 16 bits

ALWAYS = -(
    2**15
)  # a face's term with which it survives every query: ALWAYS * unit + MAX_TERM < any dot product
NOTHING = -(2**30)  # a query's term with which it excludes no face
MAX_TERM = (
    2**16
)  # a query's term is cut off here; coarse products are above -2^16, fine ones above -2^18 - 2^15
BYTES = np.arange(256)
TWO_BITS = BYTES[:, None] >> np.arange(0, 8, 2) & 3  # what a byte of the fine sketch adds to four levels
ONE_BIT = 2 * (BYTES[:, None] >> np.arange(8) & 1)  # or to eight

SLACK = 1e-9


class Sketches(NamedTuple):
    """Sketches of n known faces."""

    coarse: NDArray[np.uint8]  # (n, 8, 4): two quads of levels, low and high half of a byte
    terms: NDArray[np.int16]  # (n,)
    fine: NDArray[np.uint8]  # (n, 12): the levels' lower bits
    fine_terms: NDArray[np.int16]  # (n,)


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
        rows = _turned(axes[:, -LEVELS:].T)
        rows /= np.sqrt(1 + np.linalg.norm(rows @ rows.T - np.eye(LEVELS)) + 1e-12)
        deviation = float(np.sqrt(np.maximum(variance[-LEVELS:], 0).mean()))
        # 0.37 deviations: between the best steps for 16 and 64 levels of a normal distribution, 0.335 and 4 * 0.104
        # (Max, 1960).
        step = 0.37 / 4 * deviation or tolerance / HALF or 1.0
        return cls(
            rows, rows @ mean, step, max(4 * deviation, HALF * step) / MAX_LEVEL, tolerance * (1 + SLACK)
        )

    def faces(self, encodings: NDArray[np.float32]) -> Sketches:
        """Sketch known faces, (n, 128)."""
        places, lost = self._placed(encodings)
        levels = np.clip(np.floor(places / self.step) + HALF, 0, LEVELS - 1).astype(np.uint8)
        coarse = levels >> 2
        fine = np.concatenate([levels[:, :HALF], levels[:, HALF:] & 62], axis=1)
        return Sketches(
            _coarse_bytes(coarse),
            self._terms(places, lost, coarse - COARSE_OFFSET, 4 * self.step, COARSE_UNIT),
            _fine_bytes(fine),
            self._terms(places, lost, fine - FINE_OFFSETS, self.step, FINE_UNIT),
        )

    def queries(self, encodings: NDArray[np.float32]) -> Asked:
        """Sketch query faces, (n, 128)."""
        places, lost = self._placed(encodings)
        levels = np.clip(np.rint(places / self.query_step), -MAX_LEVEL, MAX_LEVEL)
        error = _error(places, self.query_step * levels, lost)
        bracket = self.query_step**2 * (levels**2).sum(axis=1) - (self.reach + error) ** 2
        summed = np.abs(levels).reshape(-1, QUADS, 2, 2).sum(axis=(1, 3)).max(axis=1, initial=0)
        useful = (error <= self._most_error) & (summed <= MAX_SUM)
        coarse = self._counted(bracket, 4 * self.step) + np.floor(COARSE_OFFSET * levels.sum(axis=1))
        fine = self._counted(bracket, self.step) + np.floor(levels @ FINE_OFFSETS)
        return Asked(
            faces=encodings.reshape(-1),
            levels=levels.astype(np.int8).reshape(-1),
            parts=_parts(levels),
            coarse=np.where(useful & (coarse > NOTHING), np.minimum(coarse, MAX_TERM), NOTHING).astype(
                np.int32
            ),
            fine=np.where(useful & (fine > NOTHING), np.minimum(fine, MAX_TERM), NOTHING).astype(np.int64),
        )

    @property
    def _most_error(self) -> float:
        """F: twice what rounding alone can lose, so that a query may also lie somewhat out of range."""
        return self.query_step * float(np.sqrt(LEVELS))

    def _placed(self, encodings: NDArray[np.float32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return y(x), (n, 64), and how far off it may be, (n,)."""
        values = encodings.astype(np.float64)
        size = np.linalg.norm(values, axis=1) + np.linalg.norm(self.middle)
        return values @ self.rows.T - self.middle, size * SLACK

    def _terms(
        self,
        places: NDArray[np.float64],
        lost: NDArray[np.float64],
        rounded: NDArray[np.float64],
        step: float,
        unit: int,
    ) -> NDArray[np.int16]:
        error = _error(places, step * rounded, lost)
        bracket = step**2 * (rounded**2).sum(axis=1) - error**2 - 2 * error * (self.reach + self._most_error)
        terms = np.floor(self._counted(bracket, step) / unit)
        return np.where(terms > ALWAYS, np.minimum(terms, -ALWAYS - 1), ALWAYS).astype(np.int16)

    def _counted(self, bracket: NDArray[np.float64], step: float) -> NDArray[np.float64]:
        return np.floor(bracket / (2 * step * self.query_step)) - 1


def _error(
    places: NDArray[np.float64], rounded: NDArray[np.float64], lost: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return e or f."""
    return np.asarray((np.linalg.norm(places - rounded, axis=1) + lost) * (1 + SLACK))


def _turned(axes: NDArray[np.float64]) -> NDArray[np.float64]:
    turn, _ = np.linalg.qr(np.random.default_rng(0).normal(size=(len(axes), len(axes))))
    return turn @ axes


def _coarse_bytes(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pack (n, 64) levels of 4 bits into (n, 8, 4) bytes: byte i of four is about dimension i of two quads."""
    quads = levels.reshape(-1, QUADS, 4)
    packed: NDArray[np.uint8] = quads[:, 0::2] | quads[:, 1::2] << np.uint8(4)
    return packed


def _fine_bytes(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Pack what (n, 64) levels have below four bits into (n, 12) bytes."""
    pairs = (levels[:, :HALF] & np.uint8(3)).reshape(-1, HALF // 4, 4) << np.arange(0, 8, 2, dtype=np.uint8)
    singles = np.packbits(levels[:, HALF:] >> 1 & 1, axis=1, bitorder="little")
    packed: NDArray[np.uint8] = np.concatenate([np.bitwise_or.reduce(pairs, axis=2), singles], axis=1)
    return packed


def _parts(levels: NDArray[np.float64]) -> NDArray[np.int16]:
    """Return what each of 256 values of each byte of a fine sketch adds to a dot product, for (n, 64) queries."""
    parts = np.empty((len(levels), FINE, 256), np.int16)
    first = HALF // 4
    parts[:, :first] = levels[:, :HALF].reshape(-1, first, 4) @ TWO_BITS.T
    parts[:, first:] = levels[:, HALF:].reshape(-1, FINE - first, 8) @ ONE_BIT.T
    return parts.reshape(-1)
