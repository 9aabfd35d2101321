"""The worker's engine, which some pictures bring down; for `benchmarks.poison`.

`python -m benchmarks.system.poisoned_engine` runs a worker with it. No real picture is known that does such things,
so small ones of certain widths stand for them.
"""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from functools import partial

from PIL import Image

from faces.config import Settings
from worker.__main__ import main
from worker.app import build
from worker.engine.engine import load as load_engine
from worker.engine.types import Engine, Face, Stage, View

WIDTHS = {"crash": 33, "hang": 34, "memory": 35}  # pixels; the height is 7
HEIGHT = 7
CHUNK = 64 << 20  # bytes


def poison(kind: str, number: int) -> bytes:
    """Return a picture that brings an engine down; each number gives another one."""
    file = io.BytesIO()
    Image.new("RGB", (WIDTHS[kind], HEIGHT), (number % 256, number // 256, 0)).save(file, "PNG")
    return file.getvalue()


class PoisonedEngine:
    """The engine, with a weakness."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.model = engine.model
        self.useful = engine.useful

    def find(self, pictures: Iterable[View], stage: Stage = nullcontext) -> list[list[Face]]:
        """Find faces as the engine does."""
        return self._engine.find(_tried(pictures), stage)


def _tried(pictures: Iterable[View]) -> Iterator[View]:
    for picture in pictures:
        height, width, _ = picture.pixels.shape
        if height == HEIGHT:
            _suffer(width)
        yield picture


def _suffer(width: int) -> None:
    if width == WIDTHS["crash"]:
        signal.raise_signal(signal.SIGSEGV)
    while width == WIDTHS["hang"]:
        pass
    eaten = []
    while width == WIDTHS["memory"]:
        eaten.append(b"x" * CHUNK)


def load(settings: Settings) -> PoisonedEngine:
    """Load the engine."""
    return PoisonedEngine(load_engine(settings))


if __name__ == "__main__":
    sys.exit(main(partial(build, engine="benchmarks.system.poisoned_engine:load")))
