"""The sketches exclude no match, not even where rounding has moved both faces as far apart as it can."""

import numpy as np
import pytest
from numpy.typing import NDArray

from worker.index.block import Block, Query, near
from worker.index.layout import FINE, ROWS
from worker.index.sketch import FINE_OFFSETS, HALF, MAX_SUM, Sketcher

Values = NDArray[np.float64]


def fitted(tolerance: float) -> Sketcher:
    random = np.random.default_rng(0)
    sample = random.normal(size=(500, 128)) * np.geomspace(0.2, 0.01, 128) + 0.1
    return Sketcher.fitted(sample.astype(np.float32), tolerance)


def worst_pairs(sketcher: Sketcher, tolerance: float, count: int) -> tuple[Values, Values]:
    """Draw y(x) and y(q), at the tolerance from each other, that rounding moves further apart by the most.

    y(x) - y(q) = T v for a corner direction v = (+-1, ...) / 8, y(x) lies nearly half a step short of its level in
    that direction, and y(q) nearly half a step beyond its own: of all levels, in each dimension, those where it
    comes closest to that. The coarse levels' step is four times as long, so every other face lies where the coarse
    one is the worst.
    """
    random = np.random.default_rng(1)
    signs = random.choice([-1, 1], size=(count, 64, 1))
    levels = np.rint(random.uniform(-28, 28, (count, 64, 400))) + 0.5
    known = sketcher.step * (levels - 0.495 * signs)
    coarse = sketcher.step * 4 * (np.rint(levels / 4) + 0.5 - 0.495 * signs)
    known[::2] = coarse[::2]
    asked = known - tolerance / 8 * signs
    beyond = (asked / sketcher.query_step - np.rint(asked / sketcher.query_step)) * signs
    within = np.abs(asked) < 126 * sketcher.query_step
    best = np.argmax(np.where(within & (beyond < 0.495), beyond, -1), axis=2)[:, :, None]
    known, asked = (np.take_along_axis(places, best, axis=2)[:, :, 0] for places in (known, asked))
    return known, asked


def placed(sketcher: Sketcher, places: Values) -> NDArray[np.float32]:
    """Find the faces x with y(x) in these places, (n, 64)."""
    return ((places + sketcher.middle) @ np.linalg.pinv(sketcher.rows).T).astype(np.float32)


def found(
    sketcher: Sketcher, known: NDArray[np.float32], asked: NDArray[np.float32], tolerance: float
) -> set[int]:
    """Tell for which i the block finds `known[i]` for `asked[i]`."""
    queries, rows = near([filled(sketcher, known)], Query(asked, sketcher, tolerance))
    return {int(row) for query, row in zip(queries, rows, strict=True) if query == row}


def filled(sketcher: Sketcher, faces: NDArray[np.float32]) -> Block:
    block = Block()
    block.append(faces)
    block.sketch(sketcher, 0)
    return block


@pytest.mark.parametrize("tolerance", [0.05, 0.3, 0.6])
def test_finds_pairs_that_rounding_moves_apart(tolerance: float) -> None:
    sketcher = fitted(tolerance)
    known, asked = (placed(sketcher, places) for places in worst_pairs(sketcher, tolerance * (1 - 1e-5), 60))
    distances = np.linalg.norm(known.astype(np.float64) - asked.astype(np.float64), axis=1)
    assert (tolerance * 0.999 < distances).all()
    assert (distances <= tolerance).all()
    assert found(sketcher, known, asked, tolerance) == set(range(60))


@pytest.mark.parametrize("reach", [0.5, 0.99, 1.01, 2, 100])
def test_finds_pairs_in_and_out_of_the_range_of_levels(reach: float) -> None:
    tolerance = 0.6
    sketcher = fitted(tolerance)
    random = np.random.default_rng(2)
    known = random.choice([-1, 1], size=(60, 64)) * HALF * sketcher.step * reach
    away = random.normal(size=(60, 64))
    asked = known + away * (tolerance * (1 - 1e-4) / np.linalg.norm(away, axis=1, keepdims=True))
    assert found(sketcher, placed(sketcher, known), placed(sketcher, asked), tolerance) == set(range(60))


def test_sketches_exclude_nearly_all_that_is_far() -> None:
    """What the sketches are for: the rest of the scan would not notice if they excluded nothing."""
    sketcher = fitted(0.6)
    random = np.random.default_rng(3)
    away = random.normal(size=(2000, 128)) * np.geomspace(0.2, 0.01, 128)
    away *= np.linspace(0.2, 1.2, 2000)[:, None] / np.linalg.norm(away, axis=1, keepdims=True)
    asked = np.full((1, 128), 0.1)
    query = Query(asked.astype(np.float32), sketcher, 0.6)
    _, rows = near([filled(sketcher, (asked + away).astype(np.float32))], query)
    by_coarse, by_fine = query.passed
    assert len(rows) == np.count_nonzero(np.linspace(0.2, 1.2, 2000) <= 0.6) == 800
    assert 800 <= by_fine < 1000  # 0.7 and further is excluded
    assert by_fine < by_coarse < 1200  # 0.8 and further


def test_both_sketches_are_compared_by_the_integers_they_stand_for() -> None:
    """The kernel's dot products, and the fine sketch's bits, against the levels in plain NumPy."""
    sketcher = fitted(0.6)
    random = np.random.default_rng(4)
    faces = (random.normal(size=(50, 128)) * np.geomspace(0.2, 0.01, 128) + 0.1).astype(np.float32)
    made, asked = sketcher.faces(faces), sketcher.queries(faces)
    places = faces.astype(np.float64) @ sketcher.rows.T - sketcher.middle
    levels = np.clip(np.floor(places / sketcher.step) + HALF, 0, 63).astype(np.int64)
    levels[:, HALF:] &= 62
    queries = asked.levels.reshape(-1, 64).astype(np.int64)
    parts = asked.parts.reshape(-1, FINE, 256)[:, np.arange(FINE), made.fine].astype(np.int64).sum(axis=2)
    coarse = made.coarse.astype(np.int64)
    quads = np.stack([coarse & 15, coarse >> 4], axis=2).reshape(-1, 64)
    assert (4 * queries @ quads.T + parts == queries @ levels.T).all()
    lost = np.abs(places - sketcher.step * (levels - FINE_OFFSETS))
    assert lost[(levels > 0) & (levels < 62)].max() <= sketcher.step


def test_a_query_that_overflows_sixteen_bits_excludes_nothing() -> None:
    sketcher = fitted(0.6)
    corner = placed(sketcher, np.full((1, 64), 120 * sketcher.query_step))
    asked = sketcher.queries(corner)
    assert np.abs(asked.levels.astype(np.int64)).reshape(16, 2, 2).sum(axis=(0, 2)).max() > MAX_SUM
    random = np.random.default_rng(5)
    away = random.normal(size=(ROWS, 128)).astype(np.float32)
    known = corner + away * np.float32(0.59) / np.linalg.norm(away, axis=1, keepdims=True)
    query = Query(corner, sketcher, 0.6)
    _, rows = near([filled(sketcher, known)], query)
    assert sorted(rows.tolist()) == list(range(ROWS))
    assert query.passed.tolist() == [ROWS, ROWS]
