"""The merge rule: up to which distance two groups are merged.

The distance between two groups is the root mean squared distance between their faces, which follows from their
centroids and spreads alone. Its limit depends on:

- Evidence. One face says less about a person than fifty do: each group lowers the limit by half of `caution`
  divided by its evidence. A good face counts 1, a poor one (small, blurred, turned away) `poor`, so it joins late.
- Collection size. Among more strangers, one is more likely to be near by chance: the limit falls with the logarithm
  of the number of faces grouped so far.
- Shared pictures. Two faces in one picture almost always belong to two people, except in mirrors and collages:
  groups that share more than `shared` of the smaller one's pictures are merged only within `same_picture`.

A confirmed group grows only by what is `surely` below the limit.

At 12,500 faces the limits run from 0.475 for two single faces to 0.515 for two large groups, the range that was
best on Labelled Faces in the Wild; `fall` follows how the best limit shifts between 500 and 13,000 faces.
docs/people.md has the figures.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

SIZE, SHARPNESS, POSE = 48, 3.0, 0.6  # beyond these a face is poor; few press portraits are


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule's parameters; distances are Euclidean, between encodings."""

    limit: float = 0.515  # of two large groups in a collection of `faces` faces
    caution: float = 0.04
    faces: float = 12_500
    fall: float = 0.012  # per factor of e in the number of faces
    highest: float = 0.545
    lowest: float = 0.44
    poor: float = 0.5
    surely: float = 0.02
    shared: float = 0.1
    same_picture: float = 0.32
    asked: float = 0.06  # beyond the limit, merges are suggested

    def worth(self, quality: Mapping[str, float]) -> float:
        """The evidence of one face, by its quality as in the status document."""
        poor = (
            quality.get("size", SIZE) < SIZE
            or quality.get("sharpness", SHARPNESS) < SHARPNESS
            or quality.get("pose", 0.0) > POSE
        )
        return self.poor if poor else 1.0

    def top(self, seen: int) -> float:
        """The limit of two large groups after so many faces."""
        falling = self.limit - self.fall * float(np.log(max(seen, 1) / self.faces))
        return min(max(falling, self.lowest), self.highest)

    def limits(self, evidence: float, others: Numbers, seen: int) -> Numbers:
        """The limits between a group and others, by evidence."""
        limits: Numbers = self.top(seen) - self.caution / 2 * (1 / evidence + 1 / others)
        return limits

    def most(self, evidence: float, seen: int) -> float:
        """The limit between a group and a large one: none is above."""
        return self.top(seen) - self.caution / 2 * (1 / evidence)

    def reach(self, seen: int) -> float:
        """The largest distance at which merges are suggested."""
        return self.top(seen) + self.asked
