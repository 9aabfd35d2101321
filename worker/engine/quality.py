"""How well a face can be recognised, and the bar below which it is reported but not indexed.

- `size`: the longer side of the face's box, in pixels of the picture.
- `sharpness`: the standard deviation of the Laplacian of the chip's grey values, each 0 to 255.
- `pose`: how far the head is turned: the distance of the point under the nose from the middle between the
  eyes, along the line of the eyes, over half the eyes' distance. 0: straight ahead; 1: the nose is at an eye.
- `score`: the detector's own confidence, above its threshold.

By default every face is indexed, because no bar was found that keeps out false matches and not true ones alike.
Of 792 press photographs of 260 people, all compared with all at 0.6 (`benchmarks.accuracy --quality`):

| bar that keeps out one face in twenty | false matches cut | true matches lost |
|---|---|---|
| sharpness of at least 3.85 | 17% | 9% |
| pose of at most 0.48 | 11% | 9% |
| score of at least 0.62 | 12% | 8% |
| any, chosen by lot | 10% | 10% |

Who would rather miss a match than be shown a false one does better with a smaller tolerance: 0.58 cuts half of the
false matches and 0.6% of the true ones. So only the size can be
limited, for collections with crowds of faces a few pixels wide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from worker.engine.alignment.chips import Chip
from worker.engine.types import Detection, Quality

GREY = np.array([0.299, 0.587, 0.114], dtype=np.float32)  # ITU-R BT.601


@dataclass(frozen=True, slots=True)
class Bar:
    """The smallest face that is indexed, in pixels of the picture."""

    size: int

    def reason(self, quality: Quality) -> str | None:
        """Why a face is not indexed; None for one that is."""
        if quality.size < self.size:
            return f"too small: {quality.size} pixels, at least {self.size} required"
        return None


def measure(chip: Chip, detection: Detection, scale: float) -> Quality:
    """Measure a face; `scale` is that of the pixels it was found in."""
    return Quality(
        size=round(detection.box.size * scale),
        sharpness=round(_sharpness(chip.pixels), 2),
        pose=round(_pose(chip.landmarks), 3),
        score=round(detection.score, 3),
    )


def _sharpness(chip: NDArray[np.uint8]) -> float:
    grey = chip @ GREY
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * grey[1:-1, 1:-1]
    return float(laplacian.std())


def _pose(landmarks: NDArray[np.float64]) -> float:
    eyes = landmarks[0:2].mean(axis=0), landmarks[2:4].mean(axis=0)
    across = eyes[1] - eyes[0]
    width = float(np.hypot(*across))
    if width == 0:
        return 1.0
    offset = (landmarks[4] - (eyes[0] + eyes[1]) / 2) @ across / width
    return abs(float(offset)) / (width / 2)
