"""The matching rule, and that the index, the comparison within a batch and the library all follow it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from faces.store.pictures.commit import DetectionResult
from worker.index import Index
from worker.index.face_index import FaceIndex
from worker.index.rule import is_match

A, B = (np.random.default_rng(seed).normal(size=128, scale=0.05).astype(np.float32) for seed in (1, 2))
DISTANCE = float(np.sqrt(((A.astype(np.float64) - B.astype(np.float64)) ** 2).sum()))
BELOW = float(np.nextafter(DISTANCE, 0))
DIGESTS = bytes([1]) * 32, bytes([2]) * 32


@pytest.mark.parametrize(("tolerance", "match"), [(DISTANCE, True), (BELOW, False)])
def test_a_distance_of_exactly_the_tolerance_matches(tolerance: float, match: bool) -> None:
    assert is_match(A, B, tolerance) == match


@pytest.mark.parametrize("tolerance", [DISTANCE, BELOW])
def test_the_kernel_follows_the_rule_to_the_last_bit(tolerance: float) -> None:
    index = Index(tolerance)
    index.add(DIGESTS[0], A[None])
    assert index.matches(B[None]) == [[DIGESTS[0]] if is_match(A, B, tolerance) else []]


@pytest.mark.parametrize("tolerance", [DISTANCE, BELOW])
def test_pictures_of_one_batch_follow_the_rule_to_the_last_bit(tolerance: float) -> None:
    a, b = (
        DetectionResult(digest.hex(), encodings=(encoding.tobytes(),))
        for digest, encoding in zip(DIGESTS, (A, B), strict=True)
    )
    edges = FaceIndex(tolerance).compare([a, b]).catch_up([], {a.picture_id, b.picture_id})
    assert edges == ([{b.picture_id}, {a.picture_id}] if is_match(A, B, tolerance) else [set(), set()])


def test_the_rule_is_the_library_s(reference: Any) -> None:
    random = np.random.default_rng(3)
    faces = random.normal(size=(500, 128), scale=0.04).astype(np.float32)
    theirs = reference.compare_faces(list(faces.astype(np.float64)), A.astype(np.float64), tolerance=0.6)
    assert is_match(faces, A, 0.6).tolist() == theirs
    assert len(set(theirs)) == 2
