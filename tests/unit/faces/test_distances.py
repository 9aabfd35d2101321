"""Distances as the server computes them, beside NumPy's."""

from __future__ import annotations

import numpy as np
import pytest

from faces.distances import nearest, vectors

RANDOM = np.random.default_rng(3)


def test_the_nearest_pair_of_faces_counts() -> None:
    ours, theirs = (RANDOM.normal(size=(n, 128)).astype("<f4") for n in (3, 5))
    apart = np.linalg.norm(ours[:, None].astype(np.float64) - theirs[None], axis=-1)
    encodings = [[row.tobytes() for row in rows] for rows in (ours, theirs)]
    assert nearest(vectors(encodings[0]), vectors(encodings[1])) == pytest.approx(apart.min(), rel=1e-12)


def test_no_face_is_infinitely_far() -> None:
    one = vectors([bytes(512)])
    assert nearest(one, []) == nearest([], one) == float("inf")


def test_a_damaged_encoding_is_left_out() -> None:
    assert len(vectors([bytes(512), b"short", bytes(516)])) == 1
