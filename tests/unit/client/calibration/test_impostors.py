"""The estimate of false matches, on distances whose distribution is known."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from client.calibration.impostors import GAMMA, MIN_PAIRS, NORMAL, Sample, Tail, fit, sample, wilson
from tests.support.gaussian import gaussian_share, people


@pytest.mark.parametrize("tolerance", [0.6, 0.65, 0.7])
def test_the_gamma_fit_finds_the_false_among_the_true(tolerance: float) -> None:
    """At 0.6 only one pair in 100,000 is false, and forty times as many are true."""
    faces, true = people(500, 4)
    drawn = sample(faces, np.arange(len(faces)))
    tail = fit(drawn.distances, GAMMA)
    assert tail is not None
    assert tail.share(tolerance) == pytest.approx(gaussian_share(tolerance), rel=0.3)
    assert drawn.share(tolerance) == pytest.approx(
        gaussian_share(tolerance) + true / len(drawn.distances), rel=0.1
    )
    assert tail.tolerance(gaussian_share(tolerance)) == pytest.approx(tolerance, rel=0.01)


@pytest.mark.parametrize(("true", "off"), [(0, 0.1), (600, 0.25), (3000, 0.8)])
def test_true_matches_hardly_move_the_normal_fit(true: int, off: float) -> None:
    """One pair of one person in five hundred, and one in a hundred."""
    rng = np.random.default_rng(1)
    distances = np.concatenate([rng.normal(0.82, 0.09, 300_000), rng.normal(0.4, 0.05, true)])
    tail = fit(distances, NORMAL)
    assert tail is not None
    assert tail.share(0.5) == pytest.approx(NormalDist(0.82, 0.09).cdf(0.5), rel=off)
    assert (tail.mean, tail.deviation) == pytest.approx((0.82, 0.09), rel=0.05)


def test_the_two_ends_of_a_tail_belong_together() -> None:
    for power in (NORMAL, GAMMA):
        tail = Tail(power, 0.8, 0.07)
        assert tail.share(tail.tolerance(1e-4)) == pytest.approx(1e-4)
    assert Tail(NORMAL, 0.1, 0.1).tolerance(1e-9) == 0.0


def test_few_or_equal_pairs_give_no_fit() -> None:
    assert fit(np.linspace(0.5, 1, MIN_PAIRS - 1), NORMAL) is None
    assert fit(np.full(MIN_PAIRS, 0.8), NORMAL) is None


def test_all_pairs_of_different_pictures_are_compared_where_they_are_few() -> None:
    faces = np.zeros((4, 128), dtype=np.float32)
    faces[:, 0] = [0, 1, 3, 7]
    drawn = sample(faces, np.array([0, 0, 1, 2]))
    assert drawn.every
    assert sorted(drawn.distances.tolist()) == [2, 3, 4, 6, 7]
    assert drawn.bounds(3) == (0.4, 0.4)


def test_some_are_drawn_where_they_are_many() -> None:
    faces, _ = people(300, 1)
    every, some = sample(faces, np.arange(300)), sample(faces, np.arange(300), most=20_000)
    assert (every.every, some.every) == (True, False)
    assert 19_800 < len(some.distances) < 20_000, "a face is not compared with itself"
    for tolerance in (0.75, 0.8, 0.85):
        low, high = some.bounds(tolerance)
        assert low < every.share(tolerance) < high
    assert high - low < 0.02


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(2)
    for share in (0.001, 0.3):
        found = rng.binomial(5000, share, size=2000) / 5000
        covered = [low <= share <= high for low, high in (wilson(each, 5000) for each in found)]
        assert 0.93 < np.mean(covered) < 0.98
    assert wilson(0.0, 1000) == pytest.approx((0.0, 0.0038), abs=1e-4)
    assert wilson(0.0, 0) == (0.0, 1.0)


def test_no_pair_is_within_a_tolerance_below_all() -> None:
    assert Sample(np.array([0.5, 0.7]), every=False).bounds(0.1)[0] == 0.0
