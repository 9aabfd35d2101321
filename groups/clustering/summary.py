"""Summary of a set of faces: all that the merge rule needs to know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Summary:
    """What the rule needs to know about a set of faces.

    Attributes:
        count: number of faces.
        centroid: their mean, float32 of shape (128,).
        spread: their mean squared distance from the centroid.
        evidence: sum of the evidence of its faces.
    """

    count: int
    centroid: Vector
    spread: float
    evidence: float

    @classmethod
    def of(cls, encodings: Vector, evidence: float) -> Summary:
        """Summarize encodings, (n, 128)."""
        values = encodings.astype(np.float64)
        centroid = values.mean(axis=0)
        spread = float(((values - centroid) ** 2).sum(axis=1).mean())
        return cls(len(values), centroid.astype(np.float32), spread, evidence)

    def joined(self, other: Summary) -> Summary:
        """Summarize the union, to the precision of float32 centroids."""
        count = self.count + other.count
        ours, theirs = self.centroid.astype(np.float64), other.centroid.astype(np.float64)
        share = other.count / count
        spread = self.spread * (1 - share) + other.spread * share
        return Summary(
            count,
            (ours + (theirs - ours) * share).astype(np.float32),
            spread + share * (1 - share) * float(((theirs - ours) ** 2).sum()),
            self.evidence + other.evidence,
        )

    def distance(self, other: Summary) -> float:
        """Root mean squared distance between the faces of both."""
        apart = self.centroid.astype(np.float64) - other.centroid.astype(np.float64)
        return float(np.sqrt(apart @ apart + self.spread + other.spread))
