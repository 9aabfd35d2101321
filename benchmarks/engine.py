"""How long it takes to find and encode the faces of pictures, beside the plain library.

    python -m benchmarks.engine FOLDER [--peer face_recognition] [--pictures 60] [--rounds 3]
                                [--engines kernels onnxruntime]
    python -m benchmarks.engine --limit

The peer is face_recognition with its defaults (HOG, one upsampling), or with its CNN detector (`--peer
face_recognition-cnn`, slow). An engine is named alone or with its model: onnxruntime/dlib-resnet-v1.

Each contestant is a process of its own with one thread. They take the same pictures in turn, a few at a time, so
that a busy machine is busy for all of them; what counts is the time that the processor spent on a process. The
first round warms up and is not counted. `start` is the time until a process can take pictures, its imports
included, as the wall clock has it; `peak` its largest resident memory. A face of the peer's is `found again` where
a contestant has one whose centre lies within it. The peer cuts chips inside its encoder. `--limit` compares our own
kernels with what this processor allows instead (`benchmarks.measuring.limits`).
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from benchmarks.material.pictures import pictures_in
from faces.config import Settings
from worker.engine.types import Box

AT_ONCE = 8


@dataclass
class Course:
    """What one contestant did: seconds of each counted round, seconds by stage, boxes by picture."""

    name: str
    pipe: Any
    start: float = 0.0
    rounds: list[float] = field(default_factory=list)
    boxes: list[list[Box]] = field(default_factory=list)

    def take(self, pictures: Sequence[bytes]) -> float:
        """Have it take pictures; keep their boxes, give the seconds."""
        self.pipe.send(pictures)
        seconds, boxes = self.pipe.recv()
        self.boxes += boxes
        return float(seconds)

    def finish(self) -> tuple[dict[str, float], float]:
        """End it; give the seconds by stage over all rounds, and its largest memory in MB."""
        self.pipe.send(None)
        stages, peak = self.pipe.recv()
        return stages, peak


def serve(pipe: Connection, name: str) -> None:
    """Take pictures from a pipe until there are no more: one contestant's process."""
    from benchmarks.peers.contestants import contestant  # noqa: PLC0415 - its imports count as part of the start

    taking = contestant(name, Settings.read())
    pipe.send("ready")
    while (pictures := pipe.recv()) is not None:
        if pictures == "count from here":
            taking.stages.clear()
            continue
        begun = time.process_time()
        seen = taking.take(pictures)
        pipe.send((time.process_time() - begun, [[face.box for face in faces] for faces in seen]))
    pipe.send((dict(taking.stages), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


@contextmanager
def running(name: str) -> Iterator[Course]:
    """Start a contestant's process."""
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(there, name))
    begun = time.monotonic()
    process.start()
    there.close()
    try:
        here.recv()
    except EOFError:
        raise SystemExit(f"{name} did not start; what it says stands above") from None
    yield Course(name, here, time.monotonic() - begun)
    process.join()


def round_of(courses: Sequence[Course], pictures: Sequence[bytes]) -> list[float]:
    """Have all take all pictures, a few at a time and in turn; give each one's seconds."""
    seconds = [0.0] * len(courses)
    for course in courses:
        course.boxes.clear()
    for start in range(0, len(pictures), AT_ONCE):
        for place, course in enumerate(courses):
            seconds[place] += course.take(pictures[start : start + AT_ONCE])
    return seconds


def found_again(expected: Sequence[Sequence[Box]], boxes: Sequence[Sequence[Box]]) -> int:
    """How many of the expected faces have one of `boxes` centred within them."""
    return sum(
        any(_centred(other, box) for other in others)
        for some, others in zip(expected, boxes, strict=True)
        for box in some
    )


def _centred(inner: Box, outer: Box) -> bool:
    x, y = (inner.left + inner.right) / 2, (inner.top + inner.bottom) / 2
    return outer.left <= x <= outer.right and outer.top <= y <= outer.bottom


def report(courses: Sequence[Course], count: int) -> None:
    """Print a row for each contestant; the first is the peer."""
    peer = courses[0]
    expected = sum(map(len, peer.boxes))
    print(
        f"{'':32} {'ms a picture':>12} {'ratio':>12}  {'decode':>7} {'detect':>7} {'chips':>7} {'encode':>7}"
        f" {'faces':>6} {'found again':>12} {'start':>7} {'peak':>7}"
    )
    for course in courses:
        stages, peak = course.finish()
        ratios = [theirs / ours for theirs, ours in zip(peer.rounds, course.rounds, strict=True)]
        counted = count * len(course.rounds)
        parts = " ".join(
            f"{stages[s] / counted * 1e3:7.2f}" if s in stages else f"{'':7}"
            for s in ("decode", "detect", "chips", "encode")
        )
        print(
            f"{course.name:32} {statistics.median(course.rounds) / count * 1e3:12.2f}"
            f" {statistics.median(ratios):5.2f}x {min(ratios):5.2f}  {parts}"
            f" {sum(map(len, course.boxes)):6} {found_again(peer.boxes, course.boxes):5} of {expected:3}"
            f" {course.start:5.1f} s {peak:4.0f} MB",
            flush=True,
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="seconds a picture, beside the plain library")
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--limit", action="store_true", help="our kernels beside the processor's limits")
    parser.add_argument(
        "--peer", choices=["face_recognition", "face_recognition-cnn"], default="face_recognition"
    )
    parser.add_argument("--engines", nargs="+", default=["kernels", "onnxruntime", "openvino"])
    parser.add_argument("--pictures", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    for library in ("OMP", "OPENBLAS", "MKL"):
        os.environ[f"{library}_NUM_THREADS"] = "1"  # of the processes to come
    if options.limit:
        from benchmarks.measuring.limits import report as report_limits  # noqa: PLC0415 - compiles kernels

        report_limits(Path(Settings.read().model_cache))
        return
    if options.folder is None:
        parser.error("name a folder with pictures, or --limit")
    pictures = [path.read_bytes() for path in pictures_in(options.folder, options.pictures)]
    with ExitStack() as stack:
        courses = [stack.enter_context(running(name)) for name in (options.peer, *options.engines)]
        round_of(courses, pictures)
        for course in courses:
            course.pipe.send("count from here")
        for _ in range(options.rounds):
            for course, seconds in zip(courses, round_of(courses, pictures), strict=True):
                course.rounds.append(seconds)
        print(f"{len(pictures)} pictures, {options.rounds} rounds: medians, and the least ratio")
        report(courses, len(pictures))


if __name__ == "__main__":
    main()
