"""Boxes of faces: the pyramid of levels, and what is kept of overlapping windows."""

from __future__ import annotations

from dataclasses import dataclass
from math import floor

import numpy as np
from numba import njit
from numpy.typing import NDArray

from worker.engine.hog.picture import blank, from_pixels
from worker.engine.hog.scan import scan
from worker.engine.hog.weights import frontal_face_weights

SMALLEST = 64


@dataclass(frozen=True, slots=True)
class Detection:
    """One face: corners as dlib.rectangle has them (inclusive, may lie outside of the picture)."""

    left: int
    top: int
    right: int
    bottom: int
    score: float  # by how much the threshold is passed
    pose: int  # the sub-detector, 0..4


def _round(value: float) -> int:
    """Half away from zero, as C's lround."""
    return floor(value + 0.5) if value >= 0 else -floor(0.5 - value)


def _levels(width: int, height: int) -> int:
    corners = [0, 0, width - 1, height - 1]
    levels = 0
    while True:
        corners = [_round((v - 0.3) * 5 / 6) for v in corners]
        levels += 1
        if corners[2] - corners[0] + 1 < SMALLEST or corners[3] - corners[1] + 1 < SMALLEST:
            return levels


class HogDetector:
    def __init__(self) -> None:
        self._weights = frontal_face_weights()
        from worker.engine.hog.fixed import fixed
        self._fixed = fixed(self._weights.filters)

    def detect(self, pixels: NDArray[np.uint8], upsample: int = 1, adjust: float = 0.0) -> list[Detection]:
        w = self._weights
        pic = from_pixels(pixels if pixels.ndim == 3 else pixels[:, :, None])
        resized = False
        src = pic
        from worker.engine.hog.resize import resize_all
        for _ in range(upsample):
            nxt = blank(2 * src.width + 2, 2 * src.height + 1, src.channels)
            resize_all(src, nxt)
            src = nxt
        thr = w.thresholds + adjust
        fx = self._fixed
        rows = []
        for level in range(_levels(src.width, src.height)):
            if level == 0:
                at, score = scan(src, src, fx, thr)
            else:
                nxt = blank(5 * src.width // 6, 5 * src.height // 6, src.channels)
                at, score = scan(src, nxt, fx, thr)
                src = nxt
            for (d, r, c), s in zip(at, score):
                # window in padded coordinates: r+5
                box = []
                for p in (c, r, c + 9, r + 9):
                    q = (p + 1 - 4) * 8 + 1
                    q = q + 4 if q >= 0 else q - 4
                    for _ in range(level):
                        q = q * 1.2 + 0.3
                    box.append(_round(q))
                rows.append((float(s) - w.thresholds[d], int(d), box))
        rows.sort(key=lambda x: -x[0])
        kept = []
        for s, d, b in rows:
            if all(not self._overlap(b, k[2]) for k in kept):
                kept.append((s, d, b))
        out = []
        for s, d, b in kept:
            f = [float(v) for v in b]
            for _ in range(upsample):
                f = [f[0] / 2 - 1.25, f[1] / 2 - 0.75, f[2] / 2 - 1.25, f[3] / 2 - 0.75]
            out.append(Detection(*(_round(v) for v in f), s, d))
        return out

    def _overlap(self, a, b):
        def area(r):
            return max(0, r[2] - r[0] + 1) * max(0, r[3] - r[1] + 1)
        inner = area([max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])])
        if inner == 0:
            return False
        outer = area([min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])])
        return inner / outer > self._weights.max_overlap or inner / area(a) > self._weights.max_covered or inner / area(b) > self._weights.max_covered
