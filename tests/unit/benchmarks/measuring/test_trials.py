"""Trials on a handful of encodings."""

from __future__ import annotations

import numpy as np

from benchmarks.measuring.trials import of_all, of_pairs
from client.calibration.verification import Pair


def test_pictures_are_compared_in_pairs_and_all_with_all() -> None:
    def encoding(first: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
        return np.array([first, 0, 0], np.float32)

    encodings = {"A/1": encoding(0), "A/2": encoding(0.25), "B/1": encoding(1), "B/2": None}
    pairs = [Pair("A/1", "A/2", same=True), Pair("A/1", "B/1", same=False), Pair("B/1", "B/2", same=True)]
    assert of_pairs(pairs, encodings).distances.tolist() == [0.25, 1.0, np.inf]
    everyone = of_all(encodings)
    assert sorted(zip(everyone.distances.tolist(), everyone.same.tolist(), strict=True)) == [
        (0.25, True),
        (0.75, False),
        (1.0, False),
    ]
