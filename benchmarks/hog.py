"""The HOG detector against dlib-bin's: `python -m benchmarks.hog [picture]`.

Both search the same picture at the same sizes, by turns, in this process and on one thread. Times are the
thread's processor time, the best of some turns, so that other programs on the machine count little. Without a
picture it is generated texture without a face, which costs both detectors the same as a photograph does.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from functools import partial

import dlib
import numpy as np
from PIL import Image

from worker.engine.detection.hog import HogDetector

SIZES = ((250, 250), (853, 480), (1280, 720), (1920, 1080))
SECONDS = 4  # for each size, about


def main() -> None:
    """Print a line for each size."""
    picture = Image.open(sys.argv[1]).convert("RGB") if len(sys.argv) > 1 else _texture()
    reference, detector = dlib.get_frontal_face_detector(), HogDetector()
    detector.detect(np.asarray(picture.resize((100, 100))))
    print("one thread, upsample 1    dlib-bin, ms    ours, ms    ratio")
    for width, height in SIZES:
        pixels = np.array(picture.resize((width, height), Image.Resampling.BICUBIC))
        theirs, mine = _best(partial(reference.run, pixels, 1, 0.0), partial(detector.detect, pixels))
        ratio = theirs / mine
        print(f"{width:>13} x {height:<8} {theirs * 1000:>14.1f} {mine * 1000:>11.1f} {ratio:>8.2f}")


def _texture() -> Image.Image:
    noise = np.random.default_rng(0).integers(0, 256, (135, 240, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((1920, 1080), Image.Resampling.BICUBIC)


def _best(theirs: Callable[[], object], mine: Callable[[], object]) -> tuple[float, float]:
    """Return the shortest times of both, called by turns."""
    times: tuple[list[float], list[float]] = ([], [])
    end = time.perf_counter() + SECONDS
    while time.perf_counter() < end or len(times[0]) < 3:
        for run, taken in zip((theirs, mine, mine), (times[0], times[1], times[1]), strict=True):
            start = time.thread_time()
            run()
            taken.append(time.thread_time() - start)
    return min(times[0]), min(times[1])


if __name__ == "__main__":
    main()
