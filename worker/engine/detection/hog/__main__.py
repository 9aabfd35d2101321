"""Fill Numba's cache with the detector's kernels: `python -m worker.engine.detection.hog`."""

from __future__ import annotations

import sys
import time

import numpy as np

from worker.engine.detection.hog import HogDetector


def main() -> None:
    """Run every kernel once, on a grey picture and one in colour."""
    start = time.perf_counter()
    detector = HogDetector()
    for shape in ((100, 100), (100, 100, 3)):
        detector.detect(np.zeros(shape, np.uint8))
    sys.stdout.write(f"the face detector's kernels are ready, after {time.perf_counter() - start:.1f} s\n")


if __name__ == "__main__":
    main()
