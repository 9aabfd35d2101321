"""The sketches exclude no match, not even where rounding has moved both faces as far apart as it can."""

import numpy as np
import pytest
from numpy.typing import NDArray

from worker.index.block import Block, Query
from worker.index.sketch import CENTRES, Sketcher

Values = NDArray[np.float64]


def fitted(tolerance: float) -> Sketcher:
    random = np.random.default_rng(0)
    sample = random.normal(size=(500, 128)) * np.geomspace(0.2, 0.01, 128) + 0.1
    return Sketcher.fitted(sample.astype(np.float32), tolerance)


def worst_pairs(sketcher: Sketcher, tolerance: float, count: int) -> tuple[Values, Values]:
    """Draw y(x) and y(q), at the tolerance from each other, that rounding moves further apart by the most.

    y(x) - y(q) = T v for a corner direction v = (+-1, ...) / 8, y(x) lies nearly half a step short of its level in
    that direction, and y(q) nearly half a step beyond its own: of all levels, in each dimension, those where it
    comes closest to that.
    """
    random = np.random.default_rng(1)
    signs = random.choice([-1, 1], size=(count, 64, 1))
    inner = CENTRES[:, None] * 0.9  # so that the range cuts off none
    levels = np.rint(random.uniform(-inner, inner, (count, 64, 400)))
    known = sketcher.step * (levels - 0.495 * signs)
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
    block = Block()
    block.append(known)
    block.sketch(sketcher, 0)
    queries, rows = block.near(Query(asked, sketcher, tolerance))
    return {int(row) for query, row in zip(queries, rows, strict=True) if query == row}


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
    known = random.choice([-1, 1], size=(60, 64)) * CENTRES * sketcher.step * reach
    away = random.normal(size=(60, 64))
    asked = known + away * (tolerance * (1 - 1e-4) / np.linalg.norm(away, axis=1, keepdims=True))
    assert found(sketcher, placed(sketcher, known), placed(sketcher, asked), tolerance) == set(range(60))


def test_excludes_nearly_all_that_is_far() -> None:
    """What the sketches are for: the rest of the scan would not notice if they excluded nothing."""
    sketcher = fitted(0.6)
    random = np.random.default_rng(3)
    faces = (random.normal(size=(2000, 128)) * np.geomspace(0.2, 0.01, 128) + 0.1).astype(np.float32)
    block = Block()
    block.append(faces)
    block.sketch(sketcher, 0)
    query = Query(faces[:1], sketcher, 0.6)
    query.codes.fill(-1)
    block.near(query)
    far = np.flatnonzero(np.linalg.norm(faces - faces[0], axis=1) > 0.72)
    assert len(far) > 1900
    assert len(np.intersect1d(query.codes, far)) < 40
