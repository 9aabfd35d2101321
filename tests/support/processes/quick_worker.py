"""A real worker around an engine that takes no time, and does terrible things on pictures of certain widths.

`python -m tests.support.processes.quick_worker`. Pictures of one height show one and the same face.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterable, Sequence
from contextlib import nullcontext

import numpy as np
from numpy.typing import NDArray

from faces.config import Settings
from worker.__main__ import main
from worker.app import Worker, build
from worker.engine.types import Box, Face, Pixels, Quality, Stage, View

CRASHES, HANGS, WANTS_MEMORY, LEAKS, RAISES, COMPUTES = range(201, 207)  # pixels of width
COMPUTED = 0.2  # seconds of a processor
MODEL = "quick"
ENGINE = "tests.support.processes.quick_worker:load"
LEAKED: list[bytes] = []


class QuickEngine:
    """Looks at the size of a picture."""

    model = MODEL

    def useful(self, width: int, height: int) -> int:
        return max(width, height)

    def find(self, pictures: Iterable[View], _stage: Stage = nullcontext) -> list[list[Face]]:
        return [[face(*picture.pixels.shape[:2])] for picture in pictures]

    def encode(self, pixels: Pixels, boxes: Sequence[Box]) -> NDArray[np.float32]:
        return np.stack([encoding_of(len(pixels)) for _ in boxes])


def encoding_of(height: int) -> NDArray[np.float32]:
    return np.random.default_rng(height).normal(size=128).astype(np.float32)


def face(height: int, width: int) -> Face:
    match width:
        case 201:
            signal.raise_signal(signal.SIGSEGV)
        case 202:
            time.sleep(600)
        case 203:
            bytearray(1 << 40)
        case 204:
            LEAKED.append(b"x" * (50 << 20))
        case 205:
            raise KeyError("an error that nobody has foreseen")
        case 206:
            end = time.thread_time() + COMPUTED
            while time.thread_time() < end:
                pass
    return Face(
        Box(0, 0, width - 1, height - 1), encoding_of(height), "quick", Quality(height, 1.0, 0.0, 1.0)
    )


def load(_: Settings) -> QuickEngine:
    return QuickEngine()


def build_quick(settings: Settings, stopping: threading.Event) -> Worker:
    """Build a worker that reconnects soon: a hundred times before RabbitMQ gives a message up."""
    return build(settings, stopping, engine=ENGINE, reconnect_pause=0.02)


if __name__ == "__main__":
    sys.exit(main(build_quick))
