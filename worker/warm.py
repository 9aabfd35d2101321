"""`python -m worker.warm`: does once what would otherwise slow down the first start.

Converts dlib's networks and has Numba compile the kernels into its cache, beside the source files or in
NUMBA_CACHE_DIR. Run at set-up and while an image is built. Compiled code belongs to this kind of processor; on
another kind it is compiled again at the first start.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from faces.config import Settings
from faces.errors import FacefleetError
from worker.engine.alignment.chips import load_chipper
from worker.engine.detection.cnn import load_detector
from worker.engine.detection.detectors import load_hog
from worker.engine.encoder import load_encoder
from worker.engine.loading import load
from worker.engine.portrait import Drawing
from worker.index.warm import warm_index


def main() -> int:
    """Warm everything up, and print how long it took.

    Returns:
        2 where a setting, a model or the processor forbids a start.
    """
    begun = time.monotonic()
    try:
        settings = Settings.read()
        _compile_at_once(settings)
        load(settings).find([Drawing(320)])
        warm_index(settings.match_tolerance)
    except FacefleetError as error:
        sys.stderr.write(f"worker.warm: {error}\n")
        return 2
    sys.stdout.write(f"models converted and kernels compiled in {time.monotonic() - begun:.1f} s\n")
    return 0


def _compile_at_once(settings: Settings) -> None:
    """Compile into the cache with one process per core; whatever fails here fails again later, with a message."""
    parts = (
        load_hog,
        load_chipper,
        partial(load_encoder, Path(settings.model_cache), engine=settings.engine),
        partial(load_detector, Path(settings.model_cache), engine=settings.engine),
        partial(warm_index, settings.match_tolerance),
    )
    with (
        suppress(OSError, BrokenProcessPool),  # no semaphores here, or too little memory for so many at once
        ProcessPoolExecutor(mp_context=get_context("spawn")) as processes,
    ):
        for done in [processes.submit(_try, part) for part in parts]:
            done.result()


def _try(part: Callable[[], object]) -> None:
    with suppress(FacefleetError):
        part()


if __name__ == "__main__":
    sys.exit(main())
