"""Whether any process grows while pictures pass through it.

    python -m benchmarks.soak [--minutes 10] [--workers 1] [--folder PICTURES] [--plot soak.svg]

Sends pictures one after the other, looks at the resident memory of each process, and prints how much each gains per
1,000 pictures, as a straight line through the second half of the time: the first half fills caches. Redis keeps
names and a status of each picture, about a kilobyte; a worker keeps half a kilobyte a face. With pictures without
faces, the default, a worker's slope is a leak.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import requests

from benchmarks.chaos import pictures
from benchmarks.material.pictures import pictures_in
from benchmarks.system.fleet import SingleFleet, running
from client.terminal import table
from faces.store.pictures import queries
from local.process import until

AHEAD = 32  # pictures sent and not done
LOOK = 2.0  # seconds between looks
Sample = tuple[int, float]
"""Pictures done, and megabytes resident."""

WIDTH, HEIGHT, MARGIN = 720, 360, 50  # pixels of the plot
COLOURS = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377")


def soak(fleet: SingleFleet, stream: Iterator[bytes], minutes: float) -> dict[str, list[Sample]]:
    """Send pictures for so many minutes; give the samples of each process."""
    samples: dict[str, list[Sample]] = {}
    end, next_look = time.monotonic() + 60 * minutes, 0.0
    with requests.Session() as session:
        for number in itertools.count():
            answer = session.post(
                f"{fleet.settings.server}/scan/image/{number}", data=next(stream), timeout=60
            )
            answer.raise_for_status()
            until(lambda: queries.counts(fleet.redis).in_flight < AHEAD, 600, pause=0.01)
            if time.monotonic() >= next_look:
                _look(fleet, samples)
                next_look = time.monotonic() + LOOK
            if time.monotonic() >= end:
                return samples
    return samples


def slopes(samples: Mapping[str, Sequence[Sample]]) -> dict[str, float]:
    """Megabytes gained per 1,000 pictures, from the second half of each process's samples."""
    return {name: _slope(found[len(found) // 2 :]) for name, found in samples.items()}


def plot(samples: Mapping[str, Sequence[Sample]]) -> str:
    """An SVG of memory over pictures."""
    most = max(megabytes for found in samples.values() for _, megabytes in found)
    last = max(found[-1][0] for found in samples.values()) or 1
    lines = [
        _line(name, colour, [(_x(count / last), _y(megabytes / most)) for count, megabytes in found], row)
        for row, ((name, found), colour) in enumerate(
            zip(samples.items(), itertools.cycle(COLOURS), strict=False)
        )
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" font-family="sans-serif" '
        f'font-size="12"><rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
        f'<path d="M{_x(0)} {_y(1)}V{_y(0)}H{_x(1)}" stroke="black" fill="none"/>'
        f'<text x="5" y="{_y(1)}">{most:,.0f} MB</text><text x="5" y="{_y(0)}">0</text>'
        f'<text x="{_x(1)}" y="{HEIGHT - 15}" text-anchor="end">{last:,} pictures</text>{"".join(lines)}</svg>\n'
    )


def _look(fleet: SingleFleet, samples: dict[str, list[Sample]]) -> None:
    done = queries.counts(fleet.redis).done
    for process in (fleet.redis_server.process, fleet.rabbit.process, fleet.rest, *fleet.workers):
        if process.pid is not None:
            samples.setdefault(process.name, []).append((done, _resident(process.pid) / 1e6))


def _resident(pid: int) -> int:
    """Bytes that a process and its children have in memory."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") + sum(_resident(int(child)) for child in children)


def _slope(samples: Sequence[Sample]) -> float:
    counts, megabytes = np.array(samples, dtype=np.float64).T
    if len(np.unique(counts)) < 2:
        return 0.0
    return float(np.polyfit(counts / 1000, megabytes, 1)[0])


def _line(name: str, colour: str, points: Sequence[tuple[float, float]], row: int) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    label = f'<text x="{WIDTH - MARGIN}" y="{20 + 15 * row}" fill="{colour}" text-anchor="end">{name}</text>'
    return f'<polyline points="{path}" fill="none" stroke="{colour}"/>{label}'


def _x(share: float) -> float:
    return MARGIN + share * (WIDTH - 2 * MARGIN)


def _y(share: float) -> float:
    return HEIGHT - MARGIN - share * (HEIGHT - 2 * MARGIN)


def _stream(folder: Path | None) -> Iterator[bytes]:
    """Different pictures without end: small ones made in code, or those of a folder over and over."""
    if folder is not None:
        files = [path.read_bytes() for path in pictures_in(folder)]
        for number in itertools.count():
            yield files[number % len(files)] + number.to_bytes(4, "big")
    for start in itertools.count(step=500):
        yield from pictures(500, seed=start, faces=False)


def main() -> int:
    """Soak, print, and plot."""
    parser = argparse.ArgumentParser(description="whether any process grows while pictures pass through it")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--folder", type=Path, help="pictures to send, over and over; by default: drawings")
    parser.add_argument("--plot", type=Path, default=Path("soak.svg"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, running(Path(folder), options.workers) as fleet:
        samples = soak(fleet, _stream(options.folder), options.minutes)
    gained = slopes(samples)
    rows = [
        (name, round(found[0][1]), round(found[-1][1]), f"{gained[name]:+.2f} MB per 1,000 pictures")
        for name, found in samples.items()
    ]
    print(table([("process", "first MB", "last MB", "slope"), *rows]))
    print(f"{max(found[-1][0] for found in samples.values()):,} pictures; {options.plot}")
    options.plot.write_text(plot(samples))
    return 0


if __name__ == "__main__":
    sys.exit(main())
