"""Two engines side by side on your own pictures: boxes, encodings, and which pictures match.

    python -m benchmarks.parity FOLDER [--engines face_recognition auto/dlib-resnet-v1] [--pictures 100]
                                [--tolerance 0.6]

An engine is face_recognition (the library as its documentation shows it; face_recognition-cnn with its CNN), or
ENGINE or ENGINE/MODEL of ours. Boxes: `the same` counts pictures whose boxes are identical, in the same order;
`apart` is the largest distance of an edge from that of the nearest box, in pixels, where as many faces were found.
Encodings: of faces with the same box in both, the largest difference of one component, and the length of the
difference. Decisions: of all pairs of pictures, those that match with one engine and not with the other.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.material.pictures import pictures_in
from benchmarks.peers.contestants import Contestant, Seen, contestant
from faces.config import Settings
from faces.distances import COMPARE_TOLERANCE
from faces.errors import PictureError
from worker.engine.types import Box

Faces = list[Seen]


@dataclass
class Tally:
    """What was seen of one detector beside another."""

    pictures: int = 0
    same: int = 0
    counts_differ: int = 0
    faces: int = 0
    apart: int = 0

    def add(self, expected: Sequence[Box], found: Sequence[Box]) -> None:
        """Compare one picture's boxes."""
        self.pictures += 1
        self.faces += len(expected)
        self.same += expected == found
        if len(expected) != len(found):
            self.counts_differ += 1
        elif expected:
            self.apart = max(self.apart, *(min(_apart(e, f) for f in found) for e in expected))

    def __str__(self) -> str:
        return (
            f"{self.same} of {self.pictures} pictures the same, {self.faces} faces, {self.counts_differ} pictures"
            f" with more or fewer, {self.apart} pixels apart at most"
        )


def _apart(one: Box, other: Box) -> int:
    """How far the edges of two boxes lie apart at most."""
    return int(np.abs(np.subtract(astuple(one), astuple(other))).max())


def seen(taking: Contestant, paths: Sequence[Path]) -> dict[Path, Faces]:
    """What an engine finds in pictures, one by one; those that it cannot decode are left out."""
    found = {}
    for path in paths:
        try:
            (found[path],) = taking.take([path.read_bytes()])
        except (PictureError, OSError) as error:
            print(f"{path.name} is skipped: {error}")
    return found


def same_faces(one: Faces, other: Faces) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """The encodings of the faces that have the same box in both."""
    known = {face.box: face.encoding for face in other}
    for face in one:
        if face.box in known:
            yield face.encoding, known[face.box]


def matches(faces: Sequence[Faces], tolerance: float) -> set[tuple[int, int]]:
    """The pairs of pictures, by number, that show a matching face."""
    stacked = [np.array([face.encoding for face in some], np.float64).reshape(-1, 128) for some in faces]
    return {
        (a, b)
        for (a, ours), (b, theirs) in combinations(enumerate(stacked), 2)
        if len(ours)
        and len(theirs)
        and np.linalg.norm(ours[:, None] - theirs[None], axis=-1).min() <= tolerance
    }


def report(one: Sequence[Faces], other: Sequence[Faces], tolerance: float) -> None:
    """Print how two engines' answers for the same pictures differ."""
    boxes = Tally()
    for ours, theirs in zip(one, other, strict=True):
        boxes.add([face.box for face in ours], [face.box for face in theirs])
    print(f"boxes: {boxes}")
    pairs = [pair for ours, theirs in zip(one, other, strict=True) for pair in same_faces(ours, theirs)]
    if pairs:
        differences = np.array([np.subtract(*pair) for pair in pairs])
        lengths = np.linalg.norm(differences, axis=1)
        print(
            f"encodings: {len(pairs)} faces with the same box, a component differs by"
            f" {np.abs(differences).max():.1e} at most, length of the difference {lengths.max():.1e} at most,"
            f" {lengths.mean():.1e} in the mean"
        )
    first, second = matches(one, tolerance), matches(other, tolerance)
    total = len(one) * (len(one) - 1) // 2
    print(
        f"decisions at {tolerance:g}: {total - len(first ^ second):,} of {total:,} pairs the same;"
        f" {len(first & second):,} match with both, {len(first - second):,} with the first engine alone,"
        f" {len(second - first):,} with the second"
    )


def main() -> None:
    """Compare and print."""
    parser = argparse.ArgumentParser(description="two engines side by side")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--engines", nargs=2, default=["face_recognition", "auto/dlib-resnet-v1"])
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--tolerance", type=float, default=COMPARE_TOLERANCE)
    options = parser.parse_args()
    paths = pictures_in(options.folder, options.pictures)
    settings = Settings.read()
    print(f"{options.engines[0]} and {options.engines[1]} on {len(paths)} pictures")
    one, other = (seen(contestant(name, settings), paths) for name in options.engines)
    both = [path for path in paths if path in one and path in other]
    report([one[path] for path in both], [other[path] for path in both], options.tolerance)


if __name__ == "__main__":
    main()
