"""Why a picture matches others: which faces, where they are, and how far apart."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from client.errors import UsageError
from client.terminal import note, table
from faces.documents import to_json
from faces.store.evidence import Evidence, Shown
from faces.store.keys import ENCODING_BYTES

HEADS = ("matches", "face", "its box", "by face", "its box", "distance")


@dataclass(frozen=True, slots=True)
class Pair:
    """A face of the picture and one of another, with boxes and distance; numbers count indexed faces from 0."""

    face: int
    box: dict[str, Any] | None
    other_face: int
    other_box: dict[str, Any] | None
    distance: float


@dataclass(frozen=True, slots=True)
class Edge:
    """Another picture that matches, and the pairs of faces for which it does, the nearest first."""

    hash: str
    names: list[str]
    pairs: list[Pair]


def show(found: Evidence, tolerance: float, *, as_json: bool) -> int:
    """Print why a picture matches others; `tolerance` counts only where the data does not name its own.

    Returns:
        1 where an edge rests on no pair of faces, else 0.

    Raises:
        UsageError: a stored encoding is damaged.
    """
    tolerance = tolerance if found.tolerance is None else found.tolerance
    edges = list(edges_of(found, tolerance))
    if as_json:
        picture = {"hash": found.picture.picture, "names": found.picture.names}
        data_version = {"model": found.model, "tolerance": tolerance}
        print(to_json({**picture, **data_version, "matches": [asdict(edge) for edge in edges]}))
    elif edges:
        print(table([("model", found.model or "unknown"), ("tolerance", tolerance)]) + "\n")
        print(table([HEADS, *_rows(edges)]))
    groundless = [edge.hash for edge in edges if not edge.pairs]
    for one in groundless:
        note(f"no pair of faces is within the tolerance of a match with {one}: run facefleet check")
    return 1 if groundless else 0


def edges_of(found: Evidence, tolerance: float) -> Iterator[Edge]:
    """Each edge with the pairs of faces that it rests on."""
    for other in found.matches:
        yield Edge(other.picture, other.names, _pairs(found.picture, other, tolerance))


def _pairs(ours: Shown, theirs: Shown, tolerance: float) -> list[Pair]:
    apart = _vectors(ours)[:, None] - _vectors(theirs)[None]
    distances = np.sqrt((apart**2).sum(axis=-1))
    pairs = [
        Pair(a, _box(ours, a), b, _box(theirs, b), float(distances[a, b]))
        for a, b in np.argwhere(distances <= tolerance).tolist()
    ]
    return sorted(pairs, key=lambda pair: pair.distance)


def _vectors(shown: Shown) -> NDArray[np.float64]:
    """The encodings of a picture, (n, 128); as the workers compare them, so in float64."""
    if any(len(encoding) != ENCODING_BYTES for encoding in shown.encodings):
        raise UsageError(f"picture {shown.picture} has a damaged encoding: run facefleet check")
    stored = np.frombuffer(b"".join(shown.encodings), dtype="<f4")
    return stored.reshape(-1, ENCODING_BYTES // 4).astype(np.float64)


def _box(shown: Shown, face: int) -> dict[str, Any] | None:
    return shown.boxes[face] if face < len(shown.boxes) else None


def _rows(edges: Sequence[Edge]) -> Iterator[Sequence[object]]:
    """A row for each pair; a picture is named in its first, by its hash if it has no name."""
    for edge in edges:
        shown = ", ".join(edge.names) or edge.hash
        for pair in edge.pairs:
            faces = pair.face, _place(pair.box), pair.other_face, _place(pair.other_box)
            yield shown, *faces, f"{pair.distance:.4f}"
            shown = ""


def _place(box: dict[str, Any] | None) -> str:
    """Left, top - right, bottom."""
    return "{left},{top}-{right},{bottom}".format_map(box) if box else "unknown"
