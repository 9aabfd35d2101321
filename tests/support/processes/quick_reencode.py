"""`worker.reencode` with an engine that takes no time: `python -m tests.support.processes.quick_reencode`."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from tests.support.processes.quick_worker import QuickEngine, encoding_of
from worker import reencode
from worker.engine.types import Box, Pixels

MODEL = "other"


class OtherEngine(QuickEngine):
    """Encodes by the height of a picture, unlike QuickEngine."""

    model = MODEL

    def encode(self, pixels: Pixels, boxes: Sequence[Box]) -> NDArray[np.float32]:
        return np.stack([other_encoding_of(len(pixels), number) for number, _ in enumerate(boxes)])


def other_encoding_of(height: int, face: int = 0) -> NDArray[np.float32]:
    return encoding_of(10_000 + 100 * face + height)


if __name__ == "__main__":
    reencode.load = lambda _: OtherEngine()  # type: ignore[assignment,attr-defined]  # as meant
    sys.exit(reencode.main(sys.argv[1:]))
