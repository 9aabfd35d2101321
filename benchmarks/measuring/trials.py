"""Trials on encodings: the pairs of Labelled Faces in the Wild's protocol, or all pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from client.calibration.verification import Pair, Trial


def of_pairs(pairs: Sequence[Pair], encodings: Mapping[str, NDArray[np.float32] | None]) -> Trial:
    """Compare the pairs that the protocol names."""
    distances = [_distance(encodings[pair.first], encodings[pair.second]) for pair in pairs]
    return Trial(np.array(distances), np.array([pair.same for pair in pairs]))


def of_all(encodings: Mapping[str, NDArray[np.float32] | None]) -> Trial:
    """Compare every picture that has a face with every other: many more pairs of different people."""
    names = [name for name, encoding in encodings.items() if encoding is not None]
    people = np.array([name.split("/")[0] for name in names])
    stacked = np.array([encodings[name] for name in names], np.float64)
    first, second = np.array(list(combinations(range(len(names)), 2))).T
    parts = [
        np.linalg.norm(stacked[first[k : k + 65536]] - stacked[second[k : k + 65536]], axis=1)
        for k in range(0, len(first), 65536)
    ]
    return Trial(np.concatenate(parts), people[first] == people[second])


def _distance(one: NDArray[np.float32] | None, other: NDArray[np.float32] | None) -> float:
    return np.inf if one is None or other is None else float(np.linalg.norm(one - other))
