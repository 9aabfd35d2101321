"""How long it takes to match faces against all known ones, beside brute force in NumPy and in faiss.

    python -m benchmarks.index [--faces 1000 10000 100000 1000000] [--batch 1 16] [--tolerance 0.5 0.6]

One thread everywhere. Times are medians, over interleaved runs, of the time the processor spent; a ratio is a
peer's time divided by the index's. `index` gives the pictures' digests as the worker uses them, `faiss` only
numbers. NumPy keeps squared norms, takes all queries in one product, and skips the exact check of what it finds.

The faces are drawn from a model of dlib's encodings, fitted to 787 faces of 260 people (LFW, one face a picture):

| | measured | drawn |
|---|---|---|
| length of an encoding, mean | 1.440 | 1.442 |
| length of the mean encoding | 1.318 | 1.318 |
| dimensions that vary | 78 | 78 |
| distance within a person, mean | 0.439 | 0.445 |
| distance between people, mean and standard deviation | 0.825, 0.089 | 0.825, 0.097 |
| pairs of two people within 0.6 | 0.46% | 0.51% |
| variance in the first 8, 16, 32, 64 principal components | 40, 59, 80, 97.5% | 39, 61, 84, 98.0% |

A person is a normal deviate around the mean with the variances exp(-i / 14.5), 0.2446 in all; a face one around its
person with exp(-i / 33), 0.0997 in all; i counts 78 orthogonal directions. A person has four faces on average, a
picture one (60%), two (20%), three (10%) or none (10%).
"""

import argparse
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ[f"{library}_NUM_THREADS"] = "1"  # read when NumPy loads its BLAS: before the next lines

import faiss  # noqa: E402
import numpy as np  # noqa: E402
from numpy.typing import NDArray  # noqa: E402

from worker.index import Index  # noqa: E402

Faces = NDArray[np.float32]

TOLERANCE = 0.6  # face_recognition's; the fleet's default is stricter, and excludes more
RUNS = 7
CHECKED = 4  # queries compared with float64 brute force
VARYING, MEAN_LENGTH = 78, 1.318
BETWEEN, WITHIN = (0.2446, 14.5), (0.0997, 33.0)  # variance in all, dimensions by which it falls to 1/e


class People:
    """People drawn once, of whom any number of faces can be drawn."""

    def __init__(self, count: int) -> None:
        self.random = np.random.default_rng(0)
        basis = np.linalg.qr(self.random.normal(size=(128, VARYING + 1)))[0].T.astype(np.float32)
        self.basis, self.mean = basis[:-1], basis[-1] * np.float32(MEAN_LENGTH)
        self.people = self._drawn(count, *BETWEEN)

    def faces(self, count: int) -> Faces:
        """Draw faces of random people, (count, 128)."""
        parts = [min(65536, count - first) for first in range(0, count, 65536)]
        return np.concatenate([self._part(part) for part in parts])

    def _part(self, count: int) -> Faces:
        return self.of(self.random.integers(len(self.people), size=count))

    def of(self, owners: NDArray[np.int64]) -> Faces:
        """Draw a face of each of these people, (n,); gives (n, 128)."""
        faces: Faces = (self.people[owners] + self._drawn(len(owners), *WITHIN)) @ self.basis + self.mean
        return faces

    def _drawn(self, count: int, total: float, falls: float) -> Faces:
        variance = np.exp(-np.arange(VARYING) / falls)
        deviation = np.sqrt(variance * total / variance.sum()).astype(np.float32)
        drawn: Faces = self.random.standard_normal((count, VARYING), np.float32) * deviation
        return drawn


def pictures(faces: int, random: np.random.Generator) -> tuple[list[bytes], NDArray[np.int64]]:
    """Draw pictures with so many faces in all."""
    counts = random.choice([0, 1, 2, 3], size=2 * faces, p=[0.1, 0.6, 0.2, 0.1])
    counts = counts[: np.searchsorted(np.cumsum(counts), faces) + 1]
    counts[-1] -= counts.sum() - faces
    return [random.bytes(32) for _ in counts], counts


def numpy_search(known: Faces, norms: Faces, queries: Faces, tolerance: float) -> list[NDArray[np.int64]]:
    """Find the faces within the tolerance by one product of matrices."""
    squared = norms - 2 * (queries @ known.T) + (queries**2).sum(axis=1)[:, None]
    return [np.flatnonzero(row <= tolerance**2) for row in squared]


def medians(calls: Sequence[Callable[[], object]]) -> list[float]:
    """Time calls in turn; milliseconds."""
    times = np.empty((RUNS + 1, len(calls)))
    for run in range(RUNS + 1):
        for place, call in enumerate(calls):
            start = time.thread_time()
            call()
            times[run, place] = time.thread_time() - start
    return [float(median) * 1e3 for median in np.median(times[1:], axis=0)]


def wrong(index: Index, known: Faces, owners: NDArray[np.object_], queries: Faces, tolerance: float) -> int:
    """Count the queries whose answer differs from brute force in float64."""
    differing = 0
    for query, answer in zip(queries, index.matches(queries), strict=True):
        close = [
            np.linalg.norm(known[first : first + 8192].astype(np.float64) - query.astype(np.float64), axis=1)
            <= tolerance
            for first in range(0, len(known), 8192)
        ]
        differing += sorted(answer) != sorted(set(owners[np.concatenate(close)]))
    return differing


def compare(faces: int, batches: Sequence[int], tolerance: float) -> None:
    """Print one row for each batch."""
    people = People(max(faces // 4, 1))
    known, queries = people.faces(faces), people.faces(max(*batches, CHECKED))
    names, counts = pictures(faces, people.random)
    index = Index(tolerance)
    start = time.thread_time()
    index.extend(names, counts, known)
    loaded = time.thread_time() - start
    owners = np.repeat(np.array(names, object), counts)
    verdict = "equal" if not wrong(index, known, owners, queries[:CHECKED], tolerance) else "DIFFERENT"
    flat = faiss.IndexFlatL2(128)
    flat.add(known)
    norms = (known**2).sum(axis=1)
    for batch in batches:
        asked = queries[:batch]
        calls = (
            partial(index.matches, asked),
            partial(numpy_search, known, norms, asked, tolerance),
            partial(flat.range_search, asked, tolerance**2),
        )
        own, numpy_time, faiss_time = medians(calls)
        found = sum(map(len, index.matches(asked))) / batch
        print(
            f"{tolerance:>9} {faces:>9} {batch:>6} {own:>10.2f} {numpy_time:>10.2f} {faiss_time:>10.2f}"
            f" {numpy_time / own:>9.1f} {faiss_time / own:>9.1f} {found:>9.0f} {index.nbytes / faces:>11.0f}"
            f" {loaded:>7.2f}  {verdict}",
            flush=True,
        )


def main() -> None:
    """Read the arguments, and compare."""
    parser = argparse.ArgumentParser(description="Matching against all known faces, beside NumPy and faiss.")
    parser.add_argument("--faces", type=int, nargs="+", default=[1000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--tolerance", type=float, nargs="+", default=[0.5, TOLERANCE])
    arguments = parser.parse_args()
    faiss.omp_set_num_threads(1)
    warm = Index(TOLERANCE)  # compiles, or loads what is compiled
    warm.add(bytes(32), np.zeros((1, 128), np.float32))
    warm.matches(np.zeros((1, 128), np.float32))
    columns = (
        "index, ms",
        "numpy, ms",
        "faiss, ms",
        "numpy / i",
        "faiss / i",
        "matches",
        "bytes/face",
        "load, s",
    )
    print(
        "{:>9} {:>9} {:>6} {:>10} {:>10} {:>10} {:>9} {:>9} {:>9} {:>11} {:>7}".format(
            "tolerance", "faces", "batch", *columns
        )
    )
    for tolerance, faces in product(arguments.tolerance, arguments.faces):
        compare(faces, arguments.batch, tolerance)


if __name__ == "__main__":
    main()
