"""How right a clustering is, and the usual ways of clustering faces."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import dlib
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from sklearn.cluster import DBSCAN

Vectors = NDArray[np.float32]
Numbers = NDArray[np.int64]

ROWS = 1024


class Score(NamedTuple):
    """Precision, recall and their harmonic mean, of pairs and of B-cubed."""

    pair_p: float
    pair_r: float
    pair_f: float
    cubed_p: float
    cubed_r: float
    cubed_f: float


def score(people: Numbers, groups: Numbers) -> Score:
    """Judge a clustering by who the faces really show; both number each face's."""
    _, person, of_person = np.unique(people, return_inverse=True, return_counts=True)
    _, group, of_group = np.unique(groups, return_inverse=True, return_counts=True)
    both = person.astype(np.int64) * len(of_group) + group
    _, cell, of_cell = np.unique(both, return_inverse=True, return_counts=True)
    right, joined, alike = _pairs(of_cell), _pairs(of_group), _pairs(of_person)
    pair_p, pair_r = right / max(joined, 1.0), right / max(alike, 1.0)
    cubed_p = float((of_cell[cell] / of_group[group]).mean())
    cubed_r = float((of_cell[cell] / of_person[person]).mean())
    return Score(pair_p, pair_r, _f(pair_p, pair_r), cubed_p, cubed_r, _f(cubed_p, cubed_r))


def _pairs(sizes: Numbers) -> float:
    return float((sizes * (sizes - 1) / 2).sum())


def _f(p: float, r: float) -> float:
    return 2 * p * r / (p + r) if p + r else 0.0


class Near:
    """All pairs of faces within a distance, computed once for every threshold."""

    def __init__(self, faces: Vectors, reach: float) -> None:
        self._count = len(faces)
        parts = list(_near(faces.astype(np.float64), reach))
        self._rows, self._columns, self._distances = (
            np.concatenate(column) for column in zip(*parts, strict=True)
        )

    def within(self, threshold: float) -> coo_array:
        """Distances of at most a threshold, as a sparse matrix; a distance of 0 is a tiny one."""
        near = self._distances <= threshold
        cells = (np.maximum(self._distances[near], 1e-12), (self._rows[near], self._columns[near]))
        return coo_array(cells, shape=(self._count, self._count))


def _near(faces: NDArray[np.float64], reach: float) -> Iterator[tuple[Numbers, Numbers, NDArray[np.float64]]]:
    sizes = (faces**2).sum(axis=1)
    for first in range(0, len(faces), ROWS):
        part = faces[first : first + ROWS]
        squared = np.maximum(sizes[first : first + ROWS, None] + sizes - 2 * part @ faces.T, 0)
        rows, columns = np.nonzero(squared <= reach**2)
        yield rows + first, columns, np.sqrt(squared[rows, columns])


def components(near: Near, threshold: float) -> Numbers:
    """Whoever is linked by any chain of matches is one."""
    return np.asarray(connected_components(near.within(threshold), directed=False)[1], np.int64)


def dbscan(least: int) -> Callable[[Near, float], Numbers]:
    """scikit-learn's DBSCAN with so many faces for a core; noise is a cluster of its own for each face."""

    def clustered(near: Near, threshold: float) -> Numbers:
        found = DBSCAN(eps=threshold, min_samples=least, metric="precomputed").fit(
            near.within(threshold).tocsr()
        )
        labels = np.asarray(found.labels_, np.int64)
        noise = labels < 0
        labels[noise] = labels.max() + 1 + np.arange(noise.sum())
        return labels

    return clustered


def whispers(faces: Vectors) -> Callable[[Near, float], Numbers]:
    """Dlib's Chinese whispers, by its own function."""
    vectors = [dlib.vector(face.astype(np.float64).tolist()) for face in faces]

    def clustered(_near: Near, threshold: float) -> Numbers:
        return np.array(dlib.chinese_whispers_clustering(vectors, threshold), np.int64)

    return clustered
