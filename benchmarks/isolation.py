"""What the engine's process of its own costs: pictures a second through it, beside the same engine in this process.

    python -m benchmarks.isolation FOLDER [--pictures 64] [--rounds 9]

Rounds alternate, and the ratio of each pair counts. One core works at a time in both.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.pictures import pictures_in
from faces.config import Settings
from faces.formats.limits import Limits
from worker.app import ENGINE
from worker.engine.engine import load
from worker.isolation.engine_process import EngineProcess, start
from worker.isolation.template_process import TemplateProcess
from worker.isolation.view import open_for

TIMEOUT = 600.0  # seconds for a picture


def timed(find: Callable[[Sequence[bytes]], int], batches: Sequence[Sequence[bytes]]) -> tuple[float, int]:
    """Return the seconds that batches take, and how many faces they have."""
    begun = time.perf_counter()
    faces = sum(map(find, batches))
    return time.perf_counter() - begun, faces


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="cost of the engine's own process")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args()
    settings = Settings.read()
    paths = pictures_in(options.folder, options.pictures)
    data = [paths[number % len(paths)].read_bytes() for number in range(options.pictures)]
    batches = [
        data[first : first + settings.batch_size] for first in range(0, len(data), settings.batch_size)
    ]
    template = TemplateProcess(settings, ENGINE)
    engine, limits = load(settings), Limits.of(settings)
    start(template)
    isolated = EngineProcess(template)

    def inside(pictures: Sequence[bytes]) -> int:
        return sum(map(len, engine.find(open_for(engine, picture, limits) for picture in pictures)))

    def outside(pictures: Sequence[bytes]) -> int:
        results = isolated.find(pictures, settings.worker_memory, TIMEOUT).results
        return sum(len(getattr(result, "faces", ())) for result in results)

    for find in (inside, outside):
        timed(find, batches[:2])
    ratios = []
    for number in range(options.rounds):
        pair = {}
        for find in (inside, outside) if number % 2 else (outside, inside):
            pair[find] = timed(find, batches)
        if pair[inside][1] != pair[outside][1]:
            raise SystemExit(f"{pair[inside][1]} faces here, {pair[outside][1]} in the other process")
        ratios.append(pair[inside][0] / pair[outside][0])
        print(
            f"round {number + 1}: own process {len(data) / pair[outside][0]:6.2f} pictures/s, "
            f"same process {len(data) / pair[inside][0]:6.2f}, ratio {ratios[-1]:.3f}",
            flush=True,
        )
    template.close()
    print(f"median ratio {statistics.median(ratios):.3f} (min {min(ratios):.3f}, max {max(ratios):.3f})")


if __name__ == "__main__":
    main()
