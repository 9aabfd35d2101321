"""A poison storm: twenty pictures that crash, hang or exhaust the engine, in a row and between others.

    python -m benchmarks.poison FOLDER [--pictures 400] [--poison 20] [--workers 1] [--kinds crash hang memory]

Half of the poison comes in a row at the start, the other half between the good pictures. The peer is the same
system on the same good pictures without poison, in the same run, before and after. What counts is how long the good
ones take, that each bad one ends as failed with its reason, and that no worker process is started again.
"""

from __future__ import annotations

import argparse
import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.material.pictures import pictures_in
from benchmarks.pipeline import System, running
from benchmarks.system.poisoned_engine import WIDTHS, poison
from faces.store.pictures import queries
from local.process import until

WORKER = "benchmarks.system.poisoned_engine"
LATE = 3600.0  # seconds for the last of the bad ones to end
LOOK = 0.05  # seconds


def storm(good: Sequence[bytes], bad: Sequence[bytes]) -> list[bytes]:
    """Mix pictures: half of the bad ones in a row at the start, the others evenly between the good ones."""
    half = len(bad) // 2
    mixed = [*bad[:half], *good]
    rest = bad[half:]
    for number, picture in enumerate(rest):
        mixed.insert(half + (number + 1) * len(good) // (len(rest) + 1) + number, picture)
    return mixed


def picture_ids(pictures: Sequence[bytes]) -> list[str]:
    """Hashes of pictures."""
    return [hashlib.sha256(picture).hexdigest() for picture in pictures]


def reasons(system: System, ids: Sequence[str]) -> Counter[str]:
    """Count what became of pictures: the code of each failure, or its state."""
    return Counter(
        status.code or status.state for status in queries.statuses(system.redis, ids) if status is not None
    )


def measure(system: System, good: Sequence[bytes], kind: str, count: int, number: int) -> float:
    """Run a storm between two calm rounds; print, and return the ratio of the good pictures' throughputs."""
    calm = []
    bad = [poison(kind, number * count + i) for i in range(count)]
    marked = [picture + f"{kind}{number}storm".encode() for picture in good]
    pids = [worker.pid for worker in system.workers]
    calm.append(system.take([picture + f"{kind}{number}before".encode() for picture in good]))
    stormy = system.take(storm(marked, bad), until_settled=picture_ids(marked))
    if not until(lambda: system.settled(picture_ids(bad)), LATE, pause=LOOK):
        raise SystemExit("the bad pictures did not end")
    calm.append(system.take([picture + f"{kind}{number}after".encode() for picture in good]))
    ratio = sum(calm) / len(calm) / stormy
    restarts = sum(before != worker.pid for before, worker in zip(pids, system.workers, strict=True))
    print(
        f"{kind:6} round {number + 1}: good pictures {len(good) / stormy:6.2f}/s in the storm, "
        f"{len(good) * len(calm) / sum(calm):6.2f}/s without, ratio {ratio:.2f}; "
        f"bad ones: {dict(reasons(system, picture_ids(bad)))}; workers started again: {restarts}",
        flush=True,
    )
    return ratio


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="throughput of good pictures in a poison storm")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--poison", type=int, default=20)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--timeout", type=float, default=10.0, help="PICTURE_TIMEOUT, in seconds")
    parser.add_argument("--kinds", nargs="+", choices=list(WIDTHS), default=list(WIDTHS))
    options = parser.parse_args()
    paths = pictures_in(options.folder, options.pictures)
    data = [
        paths[number % len(paths)].read_bytes() + str(number).encode() for number in range(options.pictures)
    ]
    variables = {"PICTURE_TIMEOUT": str(options.timeout)}
    with running(options.workers, WORKER, **variables) as system:
        system.take([picture + b"warm" for picture in data[:8]])
        for kind in options.kinds:
            for number in range(options.rounds):
                measure(system, data, kind, options.poison, number)


if __name__ == "__main__":
    main()
