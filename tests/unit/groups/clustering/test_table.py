"""The search for near groups misses none, whatever was added, changed and removed before."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from groups.clustering.summary import Summary, Vector
from groups.clustering.table import Table


def summaries(count: int, random: np.random.Generator) -> dict[int, Summary]:
    """Groups around a few centres, some single faces, some wide."""
    centres = random.normal(size=(20, 128), scale=0.06)
    vectors = (
        centres[random.integers(20, size=count)] + random.normal(size=(count, 128), scale=0.03)
    ).astype(np.float32)
    spreads = random.choice([0.0, 0.02, 0.1], size=count)
    return {n: Summary(n + 1, vectors[n], float(spreads[n]), n / 2) for n in range(count)}


def expected(wanted: Summary, among: dict[int, Summary], reach: float) -> set[int]:
    return {number for number, one in among.items() if wanted.distance(one) <= reach}


def test_a_table_finds_exactly_the_near_groups_as_it_grows_and_shrinks() -> None:
    random = np.random.default_rng(1)
    table, there = Table(), {}
    for number, summary in summaries(3000, random).items():
        table[number] = there[number] = summary
        if number % 7 == 3:
            gone = int(random.choice(list(there)))
            del table[gone], there[gone]
        if number % 5 == 0:
            changed = int(random.choice(list(there)))
            table[changed] = there[changed] = there[changed].joined(summary)
        if number % 100 == 0:
            asked = there[int(random.choice(list(there)))]
            for reach in (0.0, 0.3, 0.5, 0.8):
                numbers, distances, evidence = table.near(asked, reach)
                assert set(numbers.tolist()) == expected(asked, there, reach)
                assert np.allclose(distances, [asked.distance(there[n]) for n in numbers.tolist()])
                assert np.allclose(evidence, [there[n].evidence for n in numbers.tolist()])
    assert len(table) == len(there)


@pytest.mark.parametrize("vector", [np.zeros(128, np.float32), np.full(128, 3.0, np.float32)])
def test_equal_and_far_centroids_are_found(vector: Vector) -> None:
    table = Table()
    for number in range(200):
        table[number] = Summary(1, vector, 0.0, 1.0)
    table[200] = Summary(1, -vector - 1, 0.0, 1.0)
    numbers, distances, _ = table.near(Summary(1, vector, 0.0, 1.0), 0.1)
    assert set(numbers.tolist()) == set(range(200))
    assert distances.max() == 0.0


@pytest.mark.parametrize("shares", [np.ones(128), np.eye(128)[5], np.exp(-np.arange(128) / 3)])
@pytest.mark.parametrize("scale", [1e-6, 0.05, 3.0])
def test_nothing_near_is_missed_and_nothing_else_found_whatever_the_collection_looks_like(
    scale: float, shares: NDArray[np.float64]
) -> None:
    random = np.random.default_rng(3)
    vectors = (random.normal(size=(600, 128), scale=scale) * shares).astype(np.float32)
    there = {n: Summary(1, vector, scale**2 * (n % 3), 1.0) for n, vector in enumerate(vectors)}
    table = Table()
    for number, summary in there.items():
        table[number] = summary
    for number in range(0, 600, 4):
        del table[number], there[number]
    for asked in list(there.values())[::30]:
        apart = sorted(asked.distance(one) for one in there.values())
        for reach in ((one + other) / 2 for one, other in pairwise(apart[:: len(apart) // 8])):
            assert set(table.near(asked, reach)[0].tolist()) == expected(asked, there, reach)


def test_a_joined_summary_is_that_of_all_faces() -> None:
    faces = np.random.default_rng(2).normal(size=(30, 128)).astype(np.float32)
    joined = Summary.of(faces[:1], 1.0)
    for face in faces[1:]:
        joined = joined.joined(Summary(1, face, 0.0, 1.0))
    whole = Summary.of(faces, 30.0)
    assert np.allclose(joined.centroid, whole.centroid, atol=1e-6)
    assert joined.spread == pytest.approx(whole.spread, abs=1e-5)
    one, other = Summary.of(faces[:10], 10.0), Summary.of(faces[10:], 20.0)
    apart = ((faces[:10, None] - faces[None, 10:]).astype(np.float64) ** 2).sum(axis=-1)
    assert one.distance(other) == pytest.approx(np.sqrt(apart.mean()), abs=1e-5)
