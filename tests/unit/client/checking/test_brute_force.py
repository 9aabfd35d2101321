"""The oracle of the check, against the plainest form of the rule."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from client.checking import brute_force
from client.checking.brute_force import matching, pairs
from client.checking.edges import both_ways


def plainly(faces: NDArray[np.float32], owners: NDArray[np.int64], width: int, tolerance: float) -> list[int]:
    edges = set()
    for a, b in itertools.permutations(range(len(faces)), 2):
        distance = np.sqrt(((faces[a].astype(np.float64) - faces[b].astype(np.float64)) ** 2).sum())
        if owners[a] != owners[b] and distance <= tolerance:
            edges.add(int(owners[a] * width + owners[b]))
    return sorted(edges)


def around_the_tolerance(count: int, tolerance: float, scale: float = 1.0) -> NDArray[np.float32]:
    """A face, and others within a few float32 roundings of the tolerance from it."""
    rng = np.random.default_rng(7)
    directions = rng.normal(size=(count, 128))
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    lengths = tolerance * (1 + rng.integers(-8, 8, size=(count, 1)) * 1e-8)
    lengths[0] = 0
    return (scale * rng.normal(size=128) / 11 + directions * lengths).astype(np.float32)


@pytest.fixture
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("ROWS", 8), ("COLUMNS", 12), ("EXACT", 16)):
        monkeypatch.setattr(brute_force, name, value)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("scale", [0.0, 1.0, 30.0])
@pytest.mark.parametrize("tolerance", [0.6, 0.05])
def test_it_finds_what_the_rule_says_close_to_the_tolerance(tolerance: float, scale: float) -> None:
    faces = around_the_tolerance(61, tolerance, scale)
    owners = np.sort(np.random.default_rng(3).integers(0, 40, size=61))
    found = matching(faces, owners, 40, tolerance)
    assert found.tolist() == plainly(faces, owners, 40, tolerance)
    assert 0 < len(found) < 40 * 39


@pytest.mark.usefixtures("small_blocks")
def test_faces_of_any_size_are_compared(recwarn: pytest.WarningsRecorder) -> None:
    faces = np.zeros((20, 128), dtype=np.float32)
    faces[3, 0] = faces[14, 0] = 1e30  # its square is infinite in float32
    faces[5, 1] = 0.6
    found = matching(faces, np.arange(20), 20, 0.5)
    assert found.tolist() == plainly(faces, np.arange(20), 20, 0.5)
    assert {3 * 20 + 14, 14 * 20 + 3} <= set(found.tolist())
    assert not recwarn


def test_a_distance_of_exactly_the_tolerance_matches() -> None:
    faces = np.zeros((3, 128), dtype=np.float32)
    faces[1, 0], faces[2, 0] = 0.5, np.nextafter(np.float32(-0.5), np.float32(-1))
    assert matching(faces, np.arange(3), 3, 0.5).tolist() == [1, 3]


def test_a_picture_does_not_match_itself_and_several_faces_make_one_edge() -> None:
    faces = np.zeros((4, 128), dtype=np.float32)
    assert matching(faces, np.array([0, 0, 1, 1]), 2, 0.6).tolist() == [1, 2]


def test_nothing_has_no_edges() -> None:
    assert matching(np.empty((0, 128), dtype=np.float32), np.empty(0, dtype=np.int64), 0, 0.6).tolist() == []


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("count", [0, 1, 8, 30])
def test_the_progress_adds_up(count: int) -> None:
    advanced: list[int] = []
    matching(np.zeros((count, 128), dtype=np.float32), np.arange(count), count, 0.6, advanced.append)
    assert sum(advanced) == pairs(count)


def test_edges_both_ways_are_sorted_and_each_once() -> None:
    assert both_ways(np.array([1, 2, 3]), 3).tolist() == [1, 2, 3, 6]
