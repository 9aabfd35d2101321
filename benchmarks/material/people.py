"""Faces of people who do not exist, drawn like those that dlib encodes.

The model is fitted to 787 faces of 260 people (LFW, one face a picture):

| | measured | drawn |
|---|---|---|
| length of an encoding, mean | 1.440 | 1.442 |
| length of the mean encoding | 1.318 | 1.318 |
| dimensions that vary | 78 | 78 |
| distance within a person, mean | 0.439 | 0.445 |
| distance between people, mean and standard deviation | 0.825, 0.089 | 0.825, 0.097 |
| pairs of two people within 0.6 | 0.46% | 0.51% |
| variance in the first 8, 16, 32, 64 principal components | 40, 59, 80, 97.5% | 39, 61, 84, 98.0% |

A person is a normal deviate around the mean with the variances exp(-i / 14.5), 0.2446 in all; a face one around its
person with exp(-i / 33), 0.0997 in all; i counts 78 orthogonal directions. A person has four faces on average, a
picture one (60%), two (20%), three (10%) or none (10%).

Whoever imports this before NumPy has NumPy keep to one thread.
"""

import os

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"  # read when NumPy loads its BLAS: before the next lines

import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

Faces = NDArray[np.float32]

VARYING, MEAN_LENGTH = 78, 1.318
BETWEEN, WITHIN = (0.2446, 14.5), (0.0997, 33.0)  # variance in all, dimensions by which it falls to 1/e


class People:
    """People drawn once, of whom any number of faces can be drawn."""

    def __init__(self, count: int) -> None:
        self.random = np.random.default_rng(0)
        basis = np.linalg.qr(self.random.normal(size=(128, VARYING + 1)))[0].T.astype(np.float32)
        self.basis, self.mean = basis[:-1], basis[-1] * np.float32(MEAN_LENGTH)
        self.people = self._drawn(count, *BETWEEN)

    def faces(self, count: int) -> Faces:
        """Draw faces of random people, (count, 128)."""
        parts = [min(65536, count - first) for first in range(0, count, 65536)]
        return np.concatenate([self._part(part) for part in parts])

    def _part(self, count: int) -> Faces:
        return self.of(self.random.integers(len(self.people), size=count))

    def of(self, owners: NDArray[np.int64]) -> Faces:
        """Draw a face of each of these people, (n,); gives (n, 128)."""
        faces: Faces = (self.people[owners] + self._drawn(len(owners), *WITHIN)) @ self.basis + self.mean
        return faces

    def _drawn(self, count: int, total: float, falls: float) -> Faces:
        variance = np.exp(-np.arange(VARYING) / falls)
        deviation = np.sqrt(variance * total / variance.sum()).astype(np.float32)
        drawn: Faces = self.random.standard_normal((count, VARYING), np.float32) * deviation
        return drawn


def pictures(faces: int, random: np.random.Generator) -> tuple[list[bytes], NDArray[np.int64]]:
    """Draw pictures with so many faces in all."""
    counts = random.choice([0, 1, 2, 3], size=2 * faces, p=[0.1, 0.6, 0.2, 0.1])
    counts = counts[: np.searchsorted(np.cumsum(counts), faces) + 1]
    counts[-1] -= counts.sum() - faces
    return [random.bytes(32) for _ in counts], counts
