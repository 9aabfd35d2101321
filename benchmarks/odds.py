"""How right match answers are at each tolerance and size of a collection, and whether the odds hold.

    python -m benchmarks.odds FOLDER [--engine ENGINE/MODEL] [--sizes 500 1000 2000] [--draws 10] [--cache FILE]
                              [--plot FILE.svg]

FOLDER has a folder for each person. For each size so many pictures are drawn, person by person, and all compared
with all. `right`: of all matches, those of one person; `found`: of all pairs of one person, those that match; F1:
their harmonic mean. The odds are estimated from each drawn collection without its labels, as a worker does; the
second table holds them against the labels: of the matches predicted to be right with 85 to 95%, how many are.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import Faces, faces_of, kept, recalled
from benchmarks.material.pictures import pictures_in
from client.calibration.plots import reliability
from faces.config import Settings
from faces.odds import FAR, Observed, Odds, counted, fit

TOLERANCES = (0.40, 0.42, 0.44, 0.46, 0.48, 0.50, 0.52, 0.54, 0.56, 0.60)
CLASSES = (0.0, 0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95, 0.99, 1.01)


@dataclass(frozen=True, eq=False)
class Drawn:
    """All pairs of the pictures of some people: distances, (n,), and which are of one person, (n,)."""

    pictures: int
    distances: NDArray[np.float64]
    same: NDArray[np.bool_]


def draws(faces: Faces, size: int, times: int) -> Iterator[Drawn]:
    """Draw people at random until their pictures are so many."""
    known = {name: face.encoding for name, face in faces.items() if face is not None}
    people = np.array([name.split("/")[0] for name in known])
    encodings = np.array(list(known.values()), np.float64)
    for draw in range(times):
        chosen = _some(people, size, np.random.default_rng(draw))
        some, owners = encodings[chosen], people[chosen]
        norms = (some**2).sum(axis=1)
        squares = norms[:, None] + norms - 2 * (some @ some.T)
        first, second = np.triu_indices(len(some), 1)
        distances = np.sqrt(np.maximum(squares[first, second], 0))
        yield Drawn(len(some), distances, owners[first] == owners[second])


def _some(people: NDArray[np.str_], size: int, random: np.random.Generator) -> NDArray[np.int64]:
    order = random.permutation(np.unique(people))
    sizes = np.cumsum([np.count_nonzero(people == person) for person in order])
    return np.flatnonzero(np.isin(people, order[: int(np.searchsorted(sizes, size)) + 1]))


def estimated(drawn: Drawn, tolerance: float, model: str) -> Odds:
    """The odds as `faces.store.collection.odds` measures them, from all pairs."""
    near = drawn.distances[drawn.distances < FAR].tolist()
    within = [distance for distance in near if distance <= tolerance]
    neighbours = [2 * count for count in counted(within)]  # each pair is seen from both its faces
    observed = Observed(len(drawn.distances), counted(near), drawn.pictures, neighbours, tolerance)
    return fit(observed, model, drawn.pictures, drawn.pictures)


def answers(drawn: Sequence[Drawn], tolerance: float) -> tuple[float, float, float]:
    """Shares right and found, and F1, the mean of all draws."""
    figures = []
    for one in drawn:
        within = one.distances <= tolerance
        right = one.same[within].mean() if within.any() else 1.0
        found = within[one.same].mean()
        figures.append((right, found, 2 * right * found / max(right + found, 1e-9)))
    right, found, balance = np.mean(figures, axis=0)
    return float(right), float(found), float(balance)


def told_and_true(
    drawn: Sequence[Drawn], tolerance: float, model: str
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The estimated probability of each match, and whether it is right."""
    told, true = [], []
    for one in drawn:
        odds = estimated(one, tolerance, model)
        within = one.distances <= tolerance
        told += [odds.probability(distance) for distance in one.distances[within].tolist()]
        true += one.same[within].tolist()
    return np.array(told), np.array(true, np.bool_)


def report(drawn: Sequence[Drawn], model: str) -> None:
    """Print one size's answers by tolerance, the best tolerance, and what the odds advise."""
    pictures = np.mean([one.pictures for one in drawn])
    print(f"\n{pictures:.0f} pictures, {len(drawn)} draws\ntolerance   right   found      F1")
    for tolerance in TOLERANCES:
        right, found, balance = answers(drawn, tolerance)
        print(f"{tolerance:9.2f} {right:7.1%} {found:7.1%} {balance:7.3f}")
    fine = [round(0.4 + 0.005 * n, 3) for n in range(41)]
    best = max(fine, key=lambda tolerance: answers(drawn, tolerance)[2])
    advised = [estimated(one, 0.5, model).best_tolerance() for one in drawn]
    print(f"best F1 at {best:.3f}; the odds advise {np.mean(advised):.3f}")


def calibration(told: NDArray[np.float64], true: NDArray[np.bool_]) -> list[tuple[float, float, int]]:
    """By classes of what was told: its mean, the share that is right, and how many there are."""
    rows = []
    for low, high in pairwise(CLASSES):
        among = (told >= low) & (told < high)
        if among.any():
            rows.append((float(told[among].mean()), float(true[among].mean()), int(among.sum())))
    return rows


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="answers by tolerance and size, and whether the odds hold")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--engine", default="auto/dlib-resnet-v1-mirror")
    parser.add_argument("--sizes", nargs="+", type=int, default=[100, 250, 500])
    parser.add_argument("--draws", type=int, default=10)
    parser.add_argument("--cache", type=Path, help="file (.npz) to keep encodings in")
    parser.add_argument("--plot", type=Path, help="SVG file to draw the calibration in")
    options = parser.parse_args()
    pictures = [str(path.relative_to(options.folder)) for path in pictures_in(options.folder)]
    model = options.engine.partition("/")[2] or Settings.read().model
    if options.cache and options.cache.exists():
        faces = recalled(options.cache)
    else:
        faces = faces_of(options.engine, options.folder, pictures, Settings.read())
        if options.cache:
            kept(options.cache, faces)
    print(f"{sum(face is not None for face in faces.values())} of {len(faces)} pictures show a face")
    curves = {}
    for size in options.sizes:
        drawn = list(draws(faces, size, options.draws))
        report(drawn, model)
        rows = calibration(*told_and_true(drawn, FAR, model))
        print("   told   right  matches")
        for told, right, count in rows:
            print(f"{told:7.1%} {right:7.1%} {count:8}")
        curves[f"{size} pictures"] = [(told, right) for told, right, _ in rows]
    if options.plot:
        options.plot.write_text(reliability(curves))


if __name__ == "__main__":
    main()
