"""Which pictures match, found from nothing but the rule: every face against every other.

This is the oracle that the workers' index is checked against, so it shares no code with it. A match is a
Euclidean distance, computed in float64 from the float32 values, of at most the tolerance. A float32 product
over blocks of faces leaves out only pairs that provably do not match; the rest is computed by the rule itself.
`client.gallery` is made of the same pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from client.checking.edges import Codes, both_ways, codes

ROWS, COLUMNS = 512, 1024  # faces in a block: its products, 2 MiB, stay in the second-level cache
EXACT = 4096  # pairs computed at once in float64: 4 MiB each array

# Higham, Accuracy and Stability of Numerical Algorithms (2002), 3.1: a float32 product of length n, summed in
# whatever order, errs by at most n*u/(1-n*u) of the sum of its terms' magnitudes. Here n is 130, and that sum at
# most |a|^2 + |b|^2. A unit more for rounding the halved norms to float32, and three to spare.
ERROR = 134 * 2.0**-24
UNDERFLOW = 1e-35  # 130 terms, each flushed to zero below 2^-126


def matching(
    faces: NDArray[np.float32],
    owners: NDArray[np.int64],
    picture_ids: int,
    tolerance: float,
    advance: Callable[[int], object] = lambda _: None,
) -> Codes:
    """Find the edges between pictures that show a matching face, both ways.

    Args:
        faces: encodings, finite, shape (n, 128).
        owners: number of each face's picture, below `picture_ids`, shape (n,).
        picture_ids: how many pictures there are.
        tolerance: largest distance of a match.
        advance: called with how many pairs of faces have been settled; they are `pairs(n)` in all.

    Returns:
        Sorted edges, as `client.checking.edges` numbers them.
    """
    found = [np.empty(0, dtype=np.int64)]
    for a, b in _candidates(faces, tolerance, advance):
        other = owners[a] != owners[b]
        within = near(faces, a[other], faces, b[other], tolerance)
        first, second = owners[a[other]][within], owners[b[other]][within]
        found.append(codes(first, second, picture_ids))
    return both_ways(np.unique(np.concatenate(found)), picture_ids)


def pairs(faces: int) -> int:
    """How many pairs of faces `matching` settles, those in its blocks on the diagonal twice."""
    return sum(min(ROWS, faces - row) * (faces - row) for row in range(0, faces, ROWS))


def _candidates(
    faces: NDArray[np.float32], tolerance: float, advance: Callable[[int], object]
) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Pairs of faces that may match, a block at a time; every pair that matches is among them."""
    left, right, norms = extended(faces)
    for row in range(0, len(faces), ROWS):
        for column in range(row, len(faces), COLUMNS):
            rows, columns = left[row : row + ROWS], right[column : column + COLUMNS]
            largest = norms[row : row + ROWS].max() + norms[column : column + COLUMNS].max()
            a, b = np.divmod(possible(rows, columns, tolerance, largest), len(columns))
            upper = a + row < b + column
            yield a[upper] + row, b[upper] + column
            advance(len(rows) * len(columns))


def extended(
    faces: NDArray[np.float32],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float64]]:
    """Faces with two columns more, on a left and a right side, and their squared norms.

    The product of a left row and a right one is -distance^2 / 2.
    """
    norms = np.einsum("ij,ij->i", faces, faces, dtype=np.float64)
    with np.errstate(over="ignore"):  # infinite halves make their pairs candidates
        halves = (-norms / 2).astype(np.float32)[:, None]
    ones = np.ones_like(halves)
    return np.hstack([faces, halves, ones]), np.hstack([faces, ones, halves]), norms


def possible(
    rows: NDArray[np.float32], columns: NDArray[np.float32], tolerance: float, largest: float
) -> NDArray[np.int64]:
    """Flat numbers of the pairs in a block that may match; `largest` bounds the sum of two squared norms."""
    bound = -(tolerance**2) / 2 * (1 + 1e-9) - ERROR * largest - UNDERFLOW
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is not below the bound: a candidate
        below = rows @ columns.T < np.nextafter(np.float32(bound), np.float32(-np.inf))
    return np.flatnonzero(~below)


def near(
    ours: NDArray[np.float32],
    a: NDArray[np.int64],
    theirs: NDArray[np.float32],
    b: NDArray[np.int64],
    tolerance: float,
) -> NDArray[np.bool_]:
    """The rule: which of the pairs `ours[a[i]]`, `theirs[b[i]]` lie within the tolerance of each other."""
    within = np.empty(len(a), dtype=np.bool_)
    for start in range(0, len(a), EXACT):
        piece = slice(start, start + EXACT)
        apart = ours[a[piece]].astype(np.float64) - theirs[b[piece]].astype(np.float64)
        within[piece] = np.sqrt((apart**2).sum(axis=-1)) <= tolerance
    return within
