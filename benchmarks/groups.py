"""How well faces are grouped into people, beside the usual ways of clustering on the same encodings.

    python -m benchmarks.groups FOLDER [--orders N] [--most N] [--cache FILE]

FOLDER has a folder of pictures for each person. Of several faces on a picture, the one nearest to its middle is
that person's; the others are grouped, too, and not judged. Ours takes the pictures one after the other, in
several random orders: the mean is shown, and by how much they differ. The peers see all faces at once, each at the
threshold that has the best F over pairs on these very pictures; ours has the rule that it ships with.

`pairs`: of the pairs in one group, how many are of one person (P); of one person's pairs, how many are in one group
(R); F is their harmonic mean. `B-cubed`: the same for the mates of each face, averaged over the faces (Bagga and
Baldwin, 1998), so that somebody with many pictures weighs no more than each of them.

The peers need scikit-learn, the extra `peers`: `.venv/bin/pip install scikit-learn`.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.material.pictures import pictures_in
from benchmarks.peers.clusterings import Near, Numbers, Score, Vectors, components, dbscan, score, whispers
from benchmarks.peers.contestants import Seen, contestant
from faces.config import Settings
from faces.store.people.group_record import Face
from groups.clustering.grouping import Grouping
from groups.clustering.partition import Partition
from groups.clustering.rule import Rule
from groups.statements.constraints import Constraints

AT_ONCE = 8
THRESHOLDS = np.arange(0.30, 0.56, 0.01)


class Labelled(NamedTuple):
    """Faces of pictures in a row, those of one picture together.

    Attributes:
        encodings: float32, (n, 128).
        pictures: the number of each face's picture, (n,).
        people: the number of each face's person; -1 where nobody knows, (n,).
    """

    encodings: Vectors
    pictures: Numbers
    people: Numbers


def labelled(folder: Path, most: int | None) -> Labelled:
    """Find and encode the faces of a folder, of at most so many pictures a person."""
    taking = contestant("auto", Settings.read())
    people = sorted(path for path in folder.iterdir() if path.is_dir())
    chosen = [(n, path) for n, person in enumerate(people) for path in pictures_in(person)[:most]]
    encodings, pictures, labels = [], [], []
    for start in range(0, len(chosen), AT_ONCE):
        some = chosen[start : start + AT_ONCE]
        found = taking.take([path.read_bytes() for _, path in some])
        for number, ((person, _), faces) in enumerate(zip(some, found, strict=True), start):
            middle = min(faces, key=_off_middle, default=None)
            encodings += [face.encoding for face in faces]
            labels += [person if face is middle else -1 for face in faces]
            pictures += [number] * len(faces)
    return Labelled(np.array(encodings), np.array(pictures), np.array(labels))


def _off_middle(face: Seen) -> float:
    """How far a face is from the middle of a portrait as LFW's: 250 pixels wide and high."""
    box = face.box
    return float(np.hypot(box.left + box.right - 250, box.top + box.bottom - 250))


def kept(path: Path | None, folder: Path, most: int | None) -> Labelled:
    """The same, kept in a file if one is named."""
    if path is not None and path.exists():
        file = np.load(path)
        return Labelled(*(file[name] for name in Labelled._fields))
    faces = labelled(folder, most)
    if path is not None:
        np.savez(path, **faces._asdict())
    return faces


class Ours:
    """Groups as the fleet makes them, from faces in memory."""

    def __init__(self, faces: Vectors, pictures: Numbers) -> None:
        self._faces = faces
        _, firsts, counts = np.unique(pictures, return_index=True, return_counts=True)
        self._rows = {
            number.to_bytes(32, "big"): np.arange(first, first + count)
            for number, (first, count) in enumerate(zip(firsts.tolist(), counts.tolist(), strict=True))
        }
        self.grouping = Grouping(Rule(), Partition(self._read), Constraints())

    def group(self, order: NDArray[np.int64]) -> Numbers:
        """Take the pictures in an order; gives each face's group."""
        digests = list(self._rows)
        for number in order.tolist():
            rows = self._rows[digests[number]]
            self.grouping.commit(digests[number], self._faces[rows], [1.0] * len(rows))
        groups = np.zeros(len(self._faces), np.int64)
        for digest, rows in self._rows.items():
            groups[rows] = self.grouping.members.of_picture(digest)
        return groups

    @property
    def pictures(self) -> int:
        """How many pictures there are."""
        return len(self._rows)

    def _read(self, faces: Sequence[Face]) -> list[Vectors | None]:
        return [self._faces[self._rows[face.picture][face.place]] for face in faces]


def report(name: str, found: Score, note: str) -> None:
    """Print one row."""
    print(f"{name:32} " + "  ".join(f"{value:.3f}" for value in found) + f"  {note}", flush=True)


def compare(faces: Labelled, orders: int) -> None:
    """Print how right everybody is."""
    known = faces.people >= 0
    print(
        f"{len(faces.encodings)} faces, {known.sum()} of {len(np.unique(faces.people[known]))} people known by name"
    )
    print(f"{'':32} {'pairs P':>5}      R      F  cubed P  R      F")
    scores, seconds = [], 0.0
    for seed in range(orders):
        ours = Ours(faces.encodings, faces.pictures)
        begun = time.process_time()
        groups = ours.group(np.random.default_rng(seed).permutation(ours.pictures))
        seconds += time.process_time() - begun
        scores.append(score(faces.people[known], groups[known]))
    spread = Score(*np.ptp(np.array(scores), axis=0))
    note = f"orders differ by {spread.pair_f:.3f} and {spread.cubed_f:.3f}"
    report("facefleet", Score(*np.mean(scores, axis=0)), note)
    cost = seconds / orders / len(faces.encodings) * 1e3
    near = Near(faces.encodings, float(THRESHOLDS[-1]) + 0.01)
    peers = {
        "connected components": components,
        "dlib's Chinese whispers": whispers(faces.encodings),
        **{f"scikit-learn's DBSCAN, core {least}": dbscan(least) for least in (2, 3, 4)},
    }
    for name, peer in peers.items():
        tried = [(score(faces.people[known], peer(near, t)[known]), t) for t in THRESHOLDS.tolist()]
        best, threshold = max(tried, key=lambda found: found[0].pair_f)
        cubed, at = max(tried, key=lambda found: found[0].cubed_f)
        report(name, best, f"at {threshold:.2f}; its best B-cubed F is {cubed.cubed_f:.3f} at {at:.2f}")
    print(f"ours took {cost:.2f} ms a face")


def main() -> None:
    """Read the arguments, and measure."""
    parser = argparse.ArgumentParser(description="faces grouped into people, beside other ways of clustering")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--orders", type=int, default=5, help="random orders of arrival")
    parser.add_argument("--most", type=int, help="pictures a person")
    parser.add_argument("--cache", type=Path, help="file to keep the encodings in (.npz)")
    options = parser.parse_args()
    compare(kept(options.cache, options.folder, options.most), options.orders)


if __name__ == "__main__":
    main()
