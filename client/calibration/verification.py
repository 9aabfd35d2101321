"""Labelled Faces in the Wild's protocol: its pairs, and the figures that pairs give.

Source: Huang et al., "Labeled Faces in the Wild", 2007; the file's format is that of its pairs.txt. A folder in its
layout has one folder a person, with pictures Person_0001.jpg, Person_0002.jpg...
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from client.errors import UsageError

FOLDS = 10
Distances = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two pictures, by name, and whether they show the same person."""

    first: str
    second: str
    same: bool


def read_pairs(path: Path) -> list[Pair]:
    """Read a file of pairs: `Person 1 2`, or `Person 1 Other 3`; the first line, of counts, is skipped.

    Raises:
        UsageError: a line is neither, or the file cannot be read.
    """
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} cannot be read as a file of pairs: {error}") from error
    return [_pair(line.split(), path) for line in lines[1:] if line.strip()]


def _pair(words: Sequence[str], path: Path) -> Pair:
    match words:
        case [person, first, second] if (first + second).isdecimal():
            return Pair(_name(person, first), _name(person, second), same=True)
        case [person, first, other, second] if (first + second).isdecimal():
            return Pair(_name(person, first), _name(other, second), same=False)
    raise UsageError(f"{path}: {' '.join(words)!r} is not a pair: write `Person 1 2` or `Person 1 Other 3`")


def _name(person: str, number: str) -> str:
    return f"{person}/{person}_{int(number):04}.jpg"


@dataclass(frozen=True, eq=False)
class Trial:
    """Distances of pairs, (n,), infinite where a picture has no face, and which are of the same person, (n,)."""

    distances: Distances
    same: NDArray[np.bool_]

    def accuracy(self, tolerance: float) -> float:
        """The share of pairs decided correctly; one without a face counts as wrong, whatever it is."""
        right = (self.distances <= tolerance) == self.same
        return float((right & np.isfinite(self.distances)).mean())

    def best_threshold(self) -> float:
        """The tolerance with the best accuracy."""
        tried = np.arange(0.3, 0.9, 0.0025)
        return float(tried[np.argmax([self.accuracy(tolerance) for tolerance in tried])])

    def ten_fold(self) -> tuple[float, float]:
        """Mean accuracy on each tenth at the threshold that is best on the others, and those thresholds' mean."""
        fold = np.arange(len(self.same)) % FOLDS
        thresholds = [self._part(fold != k).best_threshold() for k in range(FOLDS)]
        accuracies = [self._part(fold == k).accuracy(thresholds[k]) for k in range(FOLDS)]
        return float(np.mean(accuracies)), float(np.mean(thresholds))

    def _part(self, chosen: NDArray[np.bool_]) -> Trial:
        return Trial(self.distances[chosen], self.same[chosen])

    def true_accepts(self, tolerance: float) -> float:
        """The share of pairs of one person within the tolerance."""
        return float((self.distances[self.same] <= tolerance).mean())

    def false_matches(self, tolerance: float) -> float:
        """The share of pairs of two people within the tolerance."""
        return float((self.distances[~self.same] <= tolerance).mean())

    def tolerance_at(self, rate: float) -> float:
        """The largest tolerance with at most this share of false matches."""
        others = np.sort(self.distances[~self.same])
        return float(np.nextafter(others[min(int(rate * len(others)), len(others) - 1)], -np.inf))
