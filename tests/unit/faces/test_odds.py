"""Odds fitted to collections whose people are known, because they are made up."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest

from faces.odds import BINS, DEVIATION, FAR, MEAN, NEAR, STEP, Observed, Odds, counted, fit

MIDDLES = NEAR + STEP * (np.arange(BINS) + 0.5)
RANDOM = np.random.default_rng(8)


def strangers(closeness: float = 1.0) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The share of strangers in each bin: what LFW has, in Facefleet's own figures."""
    return closeness * np.exp(-9.2 + 34 * (MIDDLES - 0.5) - 30 * (MIDDLES - 0.5) ** 2)


def own() -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    normal = NormalDist(MEAN, DEVIATION)
    return np.array([normal.cdf(m + STEP / 2) - normal.cdf(m - STEP / 2) for m in MIDDLES])


def observed(faces: int, same: float, closeness: float, tolerance: float = 0.5) -> Observed:
    """A sample of a collection; its people have `same` other faces for each face."""
    pairs, asked = min(faces * (faces - 1) // 2, 700_000), min(faces, 500)
    rate = strangers(closeness) + same / faces * own()
    neighbours = np.where(tolerance + 1e-6 >= MIDDLES + STEP / 2, RANDOM.poisson(asked * faces * rate), 0)
    return Observed(pairs, RANDOM.poisson(pairs * rate).tolist(), asked, neighbours.tolist(), tolerance)


@pytest.mark.parametrize(
    ("faces", "same", "closeness"), [(500, 2, 1), (500, 20, 0.5), (10_000, 4, 2), (100_000, 10, 1)]
)
def test_both_factors_are_found(faces: int, same: float, closeness: float) -> None:
    odds = fit(observed(faces, same, closeness), "dlib-resnet-v1-mirror", faces, faces)
    assert odds.same == pytest.approx(same, rel=0.15)
    assert odds.closeness == pytest.approx(closeness, rel=0.1)
    for k in range(8, 30):
        truth = same * own()[k] / (same * own()[k] + faces * strangers(closeness)[k])
        assert odds.probability(float(MIDDLES[k])) == pytest.approx(truth, abs=0.05)


def test_an_empty_sample_gives_the_prior() -> None:
    odds = fit(Observed(0, [0] * BINS, 0, [0] * BINS, 0.5), "dlib-resnet-v1-mirror", 1, 1)
    assert (odds.same, odds.closeness) == pytest.approx((1, 1), rel=0.01)
    assert odds.probability(0.3) > 0.999


def test_farther_and_larger_means_less_likely() -> None:
    odds = Odds("dlib-resnet-v1-mirror", 1000, 1000.0, 3.0, 1.0)
    chances = [odds.probability(d / 100) for d in range(100)]
    assert chances == sorted(chances, reverse=True)
    assert chances[20] > 0.999
    assert chances[70] < 0.01
    assert odds.probability(0.45, growth=10) < odds.probability(0.45)
    assert odds.best_tolerance(10) < odds.best_tolerance()


def test_shares_are_those_of_all_neighbours() -> None:
    odds = Odds("dlib-resnet-v1-mirror", 1000, 1000.0, 3.0, 1.0)
    within = MIDDLES < 0.5
    right, wrong = 3 * own()[within].sum(), 1000 * strangers()[within].sum()
    assert odds.right(0.5) == pytest.approx(right / (right + wrong), abs=0.002)
    assert odds.found(MEAN) == 0.5


def test_the_plain_model_has_its_own_mean() -> None:
    plain = fit(Observed(0, [0] * BINS, 0, [0] * BINS, 0.5), "dlib-resnet-v1", 1, 1)
    assert plain.mean > MEAN


def test_distances_outside_are_not_counted() -> None:
    counts = counted([NEAR - 0.001, NEAR, 0.5, FAR - 1e-9, FAR, 2.0])
    assert (sum(counts), counts[0], counts[-1]) == (3, 1, 1)
