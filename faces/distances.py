"""Euclidean distances between encodings, without NumPy, which the server does not load."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from math import dist, inf

COMPARE_TOLERANCE = 0.6
"""Up to which distance two pictures that somebody asks about show the same person.

face_recognition's rule (`compare_faces`), which dlib recommends for its model too
(http://dlib.net/face_recognition.py.html). It suits even chances: on LFW's 6,000 pairs, half of them of one person,
it is right for 99.05% with the default model. In a collection nearly all pairs are of two people, so
`MATCH_TOLERANCE` is smaller.
"""

Vector = tuple[float, ...]

DIMENSIONS = 128
_FORMAT = struct.Struct(f"<{DIMENSIONS}f")


def vector(encoding: bytes) -> Vector:
    """Read an encoding, 128 little-endian float32.

    Raises:
        struct.error: it has another length.
    """
    return _FORMAT.unpack(encoding)


def encoded(numbers: Iterable[float]) -> bytes:
    """Write an encoding as it is stored.

    Raises:
        struct.error: there are not 128 numbers.
        OverflowError: one is too large for a float32.
    """
    return _FORMAT.pack(*numbers)


def vectors(encodings: Iterable[bytes]) -> list[Vector]:
    """Read encodings, 128 little-endian float32 each; one of another length is left out."""
    return [vector(encoding) for encoding in encodings if len(encoding) == _FORMAT.size]


def nearest(ours: Sequence[Vector], theirs: Sequence[Vector]) -> float:
    """Give the least distance between a face of one picture and one of another; infinite where one has none."""
    return min((dist(one, other) for one in ours for other in theirs), default=inf)
