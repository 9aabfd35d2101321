"""How long it takes to match faces against all known ones, beside brute force in NumPy and in faiss.

    python -m benchmarks.index [--faces 1000 10000 100000 1000000] [--batch 1 16] [--tolerance 0.5 0.6]

One thread everywhere. Times are medians, over interleaved runs, of the time the processor spent; a ratio is a
peer's time divided by the index's. `index` gives the pictures' digests as the worker uses them, `faiss` only
numbers. NumPy keeps squared norms, takes all queries in one product, and skips the exact check of what it finds.

The faces are drawn: see `benchmarks.material.people`.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from functools import partial
from itertools import product

from benchmarks.material.people import Faces, People, pictures  # first: it keeps NumPy to one thread

# isort: split
import faiss
import numpy as np
from numpy.typing import NDArray

from worker.index import Index

TOLERANCE = 0.6  # face_recognition's; the fleet's default is stricter, and excludes more
RUNS = 7
CHECKED = 4  # queries compared with float64 brute force


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
