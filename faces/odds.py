"""How likely two faces at a distance are to be one person's, in a collection of a certain size.

Of a face's neighbours at a distance some are of its own person and some are strangers. How many to expect of each
follows from two curves that belong to the model, and two factors that are fitted to the collection's own distances:
how many other faces a person has in it, and how much closer its strangers are than those of a reference. With more
faces come more strangers, so the same distance says less. docs/odds.md tells how this was measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from math import exp
from statistics import NormalDist

NEAR, STEP, BINS = 0.24, 0.01, 36
FAR = NEAR + STEP * BINS
"""Distances from 0.24 to 0.60 are counted: nearer, everybody is one person; farther, nearly all are strangers."""

MEAN, PLAIN_MEAN, DEVIATION = 0.415, 0.435, 0.075
"""Distances between pictures of one person: normally distributed, by the mirrored model and by the plain one.

999 pairs of 260 people of LFW have 0.417 and 0.081 with the mirrored model, 0.438 and 0.081 with the plain one; all
242,000 pairs of LFW, half of them of one man, about 0.41 and 0.066 with the mirrored one.
"""

PRIOR_FACES, PRIOR_STRANGERS = 5.0, 20.0
ROUNDS = 300

_EDGES = [NEAR + STEP * n for n in range(BINS + 1)]
_MIDDLES = [edge + STEP / 2 for edge in _EDGES[:-1]]


def own_mean(model: str) -> float:
    """The mean distance between pictures of one person, by a model's name."""
    return MEAN if model.endswith("-mirror") else PLAIN_MEAN


def _reference(distance: float) -> float:
    """Share of LFW's pairs of two people per bin; a parabola in its logarithm, the slope rising towards 0."""
    x = distance - 0.5
    return exp(-9.2 + 34 * x - 30 * x * x)


_STRANGERS = [_reference(distance) for distance in _MIDDLES]
_CLOSER = [0.0, *accumulate(_STRANGERS)]


def counted(distances: Iterable[float]) -> list[int]:
    """Count distances by bins; those outside are left out."""
    counts = [0] * BINS
    for distance in distances:
        if NEAR <= distance < FAR:
            counts[min(int((distance - NEAR) / STEP), BINS - 1)] += 1
    return counts


@dataclass(frozen=True, slots=True)
class Observed:
    """Distances between faces of different pictures, counted by bins.

    `at_random` are those of `pairs` drawn from the whole collection; `neighbours` are those of all neighbours of
    `asked` faces, up to the tolerance.
    """

    pairs: int
    at_random: Sequence[int]
    asked: int
    neighbours: Sequence[int]
    tolerance: float


@dataclass(frozen=True, slots=True)
class Odds:
    """What is to be expected in a collection of `pictures` with so many `faces`, encoded by `model`.

    A face has `same` others of its person in it, at distances that are normal with `mean` and DEVIATION; strangers
    are `closeness` times as many at a distance as in the reference.
    """

    model: str
    pictures: int
    faces: float
    same: float
    closeness: float
    mean: float = field(default=MEAN)

    def probability(self, distance: float, growth: float = 1.0) -> float:
        """The chance that a neighbour at a distance is of the same person, with `growth` times as many people."""
        distance = min(max(distance, NEAR), FAR)
        same = self.same * STEP * self._own.pdf(distance)
        return same / (same + growth * self.faces * self.closeness * _reference(distance))

    def right(self, tolerance: float, growth: float = 1.0) -> float:
        """The share of right answers among all neighbours up to a tolerance."""
        own = self.same * self.found(tolerance)
        return own / (own + growth * self.faces * self.closeness * _within(tolerance))

    def found(self, tolerance: float) -> float:
        """The share of a person's other faces that lie within a tolerance."""
        return self._own.cdf(tolerance)

    def best_tolerance(self, growth: float = 1.0) -> float:
        """The tolerance with the best balance (F1) of right answers and faces found."""
        return max((round(0.3 + 0.005 * n, 3) for n in range(61)), key=lambda t: self._f1(t, growth))

    def _f1(self, tolerance: float, growth: float) -> float:
        right, found = self.right(tolerance, growth), self.found(tolerance)
        return 2 * right * found / (right + found)

    @property
    def _own(self) -> NormalDist:
        return NormalDist(self.mean, DEVIATION)


def _within(tolerance: float) -> float:
    """The reference's share of strangers within a tolerance; the bin that it lies in counts in part."""
    position = min(max((tolerance - NEAR) / STEP, 0.0), BINS)
    whole = min(int(position), BINS - 1)
    return _CLOSER[whole] + (position - whole) * _STRANGERS[whole]


def fit(observed: Observed, model: str, pictures: int, faces: float) -> Odds:
    """Fit both factors by expectation maximisation (Dempster, Laird and Rubin, 1977).

    The prior is worth PRIOR_FACES faces, each with one other of its person, and PRIOR_STRANGERS strangers as close
    as the reference's: it speaks where a collection has hardly any pairs.
    """
    mean = own_mean(model)
    own = NormalDist(mean, DEVIATION)
    shape = [own.cdf(edge + STEP) - own.cdf(edge) for edge in _EDGES[:-1]]
    whole = [
        edge + STEP <= observed.tolerance + STEP / 1000 for edge in _EDGES[:-1]
    ]  # bins up to the tolerance
    counts = [
        a + (b if complete else 0)
        for a, b, complete in zip(observed.at_random, observed.neighbours, whole, strict=True)
    ]
    tried = [observed.pairs + (observed.asked * faces if complete else 0.0) for complete in whole]
    own_tried = sum(t * g for t, g in zip(tried, shape, strict=True)) + PRIOR_FACES * faces
    strangers_tried = sum(t * s for t, s in zip(tried, _STRANGERS, strict=True)) + PRIOR_STRANGERS
    same, closeness = 1 / faces, 1.0
    for _ in range(ROUNDS):
        mine = sum(
            count * same * g / (same * g + closeness * s)
            for count, g, s in zip(counts, shape, _STRANGERS, strict=True)
        )
        same = (mine + PRIOR_FACES) / own_tried
        closeness = (sum(counts) - mine + PRIOR_STRANGERS) / strangers_tried
    return Odds(model, pictures, faces, same * faces, closeness, mean)
