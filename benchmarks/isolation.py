"""What the engine's process of its own costs: pictures a second through it, beside the same engine in this process.

    python -m benchmarks.isolation FOLDER [--pictures 64] [--rounds 9]

Each batch goes through both, one after the other, in changing order. Two ratios are given: of the time that passed,
and of the processor's time, which other programs on the machine disturb less.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchmarks.material.pictures import pictures_in
from faces.config import Settings
from faces.formats.limits import Limits
from worker.app import ENGINE
from worker.engine.engine import load
from worker.isolation.engine_process import EngineProcess, start
from worker.isolation.template_process import TemplateProcess
from worker.isolation.view import open_for

TIMEOUT = 600.0  # seconds for a picture


Time = tuple[float, float]
"""Seconds that passed, and seconds of processor."""


def cpu(pid: int) -> float:
    """Seconds of processor that a process has taken, from /proc/<pid>/stat; this process's more exactly."""
    if pid == os.getpid():
        return time.process_time()
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(
    find: Callable[[Sequence[bytes]], int], pictures: Sequence[bytes], pids: Sequence[int]
) -> tuple[Time, int]:
    """Return the time that a batch takes in these processes, and how many faces it has."""
    begun, spent = time.perf_counter(), sum(map(cpu, pids))
    faces = find(pictures)
    return (time.perf_counter() - begun, sum(map(cpu, pids)) - spent), faces


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

    inside(batches[0])
    outside(batches[0])
    here, child = os.getpid(), isolated.pid
    ways = [(inside, [here]), (outside, [here, child])]
    ratios: list[Time] = []
    for number in range(options.rounds):
        times = np.zeros((2, 2))
        for count, batch in enumerate(batches):
            faces = {}
            for way in (0, 1) if (number + count) % 2 else (1, 0):
                spent, faces[way] = timed(ways[way][0], batch, ways[way][1])
                times[way] += spent
            if faces[0] != faces[1]:
                raise SystemExit(f"{faces[0]} faces here, {faces[1]} in the other process")
        ratios.append(tuple(times[0] / times[1]))
        print(
            f"round {number + 1}: own process {len(data) / times[1, 0]:6.2f} pictures/s, "
            f"same process {len(data) / times[0, 0]:6.2f}, ratio {ratios[-1][0]:.3f}, "
            f"of processor time {ratios[-1][1]:.3f}",
            flush=True,
        )
    template.close()
    passed, processor = zip(*ratios, strict=True)
    print(
        f"median ratio {statistics.median(passed):.3f}, of processor time {statistics.median(processor):.3f}"
    )


if __name__ == "__main__":
    main()
