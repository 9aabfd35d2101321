"""`facefleet scan` beside the engine alone: pictures a second, and where the processor's time goes.

    python -m benchmarks.scan FOLDER [--pictures 400] [--workers CORES] [--rounds 3]

The system is that of `benchmarks.pipeline`; the client is our own command, in a process of its own. The peer is the
worker's engine on the same pictures in the same number of processes, with nothing around it. Rounds of both
alternate. Processor time is read from /proc, per picture: what the system uses beyond the peer is what surrounds
the engine.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.material.pictures import pictures_in
from benchmarks.pipeline import System, engine_alone, loaded_engine, running
from faces.store.pictures import queries

TICK = 1 / os.sysconf("SC_CLK_TCK")  # seconds


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="facefleet scan beside the engine alone")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    paths = pictures_in(options.folder, options.pictures)
    context = multiprocessing.get_context("spawn")
    with running(options.workers) as system, ProcessPoolExecutor(options.workers, context) as pool:
        shares = [paths[number :: options.workers] for number in range(options.workers)]
        list(pool.map(engine_alone, [share[:4] for share in shares]))
        scanned(system, paths[:8], 0)
        ratios, around = [], []
        for number in range(1, options.rounds + 1):
            begun = time.monotonic()
            alone = sum(pool.map(engine_time, shares)) / len(paths)
            theirs = time.monotonic() - begun
            ours, used = scanned(system, paths, number)
            ratios.append(theirs / ours)
            around.append(sum(used.values()) / len(paths) - alone)
            by_part = ", ".join(f"{part} {1e3 * seconds / len(paths):.2f}" for part, seconds in used.items())
            print(
                f"round {number}: scan {len(paths) / ours:6.1f} pictures/s, engine {len(paths) / theirs:6.1f}; "
                f"ms of processor a picture: engine alone {1e3 * alone:.2f}, {by_part}",
                flush=True,
            )
        failed = queries.counts(system.redis).failed
    print(
        f"{len(paths)} pictures, {options.workers} workers: median ratio {statistics.median(ratios):.2f} "
        f"(min {min(ratios):.2f}, max {max(ratios):.2f}); around the engine "
        f"{1e3 * statistics.median(around):.2f} ms of processor a picture; {failed} failed"
    )


def engine_time(paths: Sequence[Path]) -> float:
    """Find the faces with the engine alone; give the processor's seconds."""
    loaded_engine()
    begun = time.process_time()
    engine_alone(paths)
    return time.process_time() - begun


def scanned(system: System, paths: Sequence[Path], number: int) -> tuple[float, Mapping[str, float]]:
    """Scan a folder of new pictures; give the seconds, and the processor's seconds by part."""
    with tempfile.TemporaryDirectory() as folder:
        for place, path in enumerate(paths):
            copy = Path(folder, f"{number} {place}{path.suffix}")
            shutil.copyfile(path, copy)
            with copy.open("ab") as file:  # a byte behind the end makes another picture of it
                file.write(bytes([number]))
        before, client_before = _used(system), _children()
        begun = time.monotonic()
        command = [sys.executable, "-m", "client", "scan", folder, "--json"]
        environ = {**os.environ, "REST_PORT": str(system.settings.rest_port)}
        subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL)
        took = time.monotonic() - begun
        after = _used(system)
    used = {part: after[part] - before[part] for part in after}
    return took, {**used, "client": _children() - client_before}


def _used(system: System) -> dict[str, float]:
    """Processor time of each part so far, its child processes included."""
    parents = _parents()
    pids = {name: [process.pid] for name, process in system.others.items()}
    pids["workers"] = [process.pid for process in system.workers]
    return {name: sum(_seconds(parents, pid) for pid in some if pid) for name, some in pids.items()}


def processor_seconds(pid: int) -> float:
    """Processor time of a process so far, its child processes included."""
    return _seconds(_parents(), pid)


def _parents() -> dict[int, int]:
    processes = Path("/proc").glob("[0-9]*")
    return {int(process.name): int(fields[1]) for process in processes if (fields := _stat(process))}


def _seconds(parents: Mapping[int, int], pid: int) -> float:
    fields = _stat(Path("/proc", str(pid)))
    own = TICK * sum(map(int, fields[11:15])) if fields else 0.0  # ended children included
    return own + sum(_seconds(parents, child) for child, parent in parents.items() if parent == pid)


def _stat(process: Path) -> list[str]:
    """The fields of stat(5) from the third on; none for a process that has ended."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
