"""The rule: how near two groups must be to become one.

The distance of two groups is the root of the average of the squared distances between their faces (the linkage of
Ward's family that needs no more than centroids and spreads). Its limit depends on three things:

- Evidence. A single face says less about its person than fifty do: the limit is lower by `CAUTION` over twice the
  evidence of each group. A good face counts 1, a poor one (small, blurred) `POOR`: it joins late, and moves little.
- Size. Among more strangers one is more likely to be near by chance: the limit falls with the logarithm of the
  number of faces ever grouped.
- Pictures shown together. Two faces of one picture are almost always of two people, but there are mirrors and
  collages: groups that share more than `SHARED` of the smaller one's pictures join only within `SAME_PICTURE`.

What somebody has confirmed changes only where it is sure: `SURELY` below the limit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

SIZE, SHARPNESS, POSE = 48, 3.0, 0.6  # past these a face is poor; one in fifty of 792 press portraits is


@dataclass(frozen=True, slots=True)
class Rule:
    """Distances are Euclidean, between encodings."""

    limit: float = 0.52  # of two large groups among `FACES` faces
    caution: float = 0.05
    faces: float = 12_500
    fall: float = 0.015  # for each factor of e by which there are more faces
    highest: float = 0.545
    lowest: float = 0.44
    poor: float = 0.5
    surely: float = 0.02
    shared: float = 0.1
    same_picture: float = 0.32
    asked: float = 0.06  # beyond the limit people are asked

    def worth(self, quality: Mapping[str, float]) -> float:
        """How many good faces a face is worth, by its quality as the status document has it."""
        poor = (
            quality.get("size", SIZE) < SIZE
            or quality.get("sharpness", SHARPNESS) < SHARPNESS
            or quality.get("pose", 0.0) > POSE
        )
        return self.poor if poor else 1.0

    def top(self, seen: int) -> float:
        """The limit of two large groups when so many faces have been grouped."""
        falling = self.limit - self.fall * float(np.log(max(seen, 1) / self.faces))
        return min(max(falling, self.lowest), self.highest)

    def limits(self, evidence: float, others: Numbers, seen: int) -> Numbers:
        """The limits between a group and others, by their evidence."""
        limits: Numbers = self.top(seen) - self.caution / 2 * (1 / evidence + 1 / others)
        return limits

    def reach(self, seen: int) -> float:
        """The largest distance of which anything is wanted."""
        return self.top(seen) + self.asked
