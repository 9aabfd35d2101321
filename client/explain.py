"""Why a picture matches others: which faces, where they are, how far apart, and how likely one person's."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from math import dist
from typing import Any

from client.errors import UsageError
from client.terminal import note, table
from faces.distances import Vector, vectors
from faces.documents import to_json
from faces.odds import Odds
from faces.store.pictures.evidence import Evidence, Shown

HEADS = ("matches", "face", "its box", "by face", "its box", "distance", "same person")
NO_ODDS = "the odds of a match are not measured yet: workers measure them, and so does facefleet calibrate"


@dataclass(frozen=True, slots=True)
class Pair:
    """A face of the picture and one of another, with boxes and distance; numbers count indexed faces from 0.

    `probability` is the estimated chance that both are of one person; None where it was not measured yet.
    """

    face: int
    box: dict[str, Any] | None
    other_face: int
    other_box: dict[str, Any] | None
    distance: float
    probability: float | None


@dataclass(frozen=True, slots=True)
class Edge:
    """Another picture that matches, and the pairs of faces for which it does, the nearest first."""

    hash: str
    names: list[str]
    pairs: list[Pair]


def show(found: Evidence, tolerance: float, odds: Odds | None, *, as_json: bool) -> int:
    """Print why a picture matches others, the nearest first.

    Args:
        found: the picture, its matches and their faces.
        tolerance: counts only where the data does not name its own.
        odds: those of the collection, if they were measured.
        as_json: print a JSON object, not a table.

    Returns:
        1 where a match rests on no pair of faces, else 0.

    Raises:
        UsageError: a stored encoding is damaged.
    """
    tolerance = tolerance if found.tolerance is None else found.tolerance
    edges = edges_of(found, tolerance, odds)
    if as_json:
        picture = {"hash": found.picture.picture, "names": found.picture.names}
        data_version = {"model": found.model, "tolerance": tolerance}
        print(to_json({**picture, **data_version, "matches": [asdict(edge) for edge in edges]}))
    elif edges:
        print(table([("model", found.model or "unknown"), ("tolerance", tolerance)]) + "\n")
        print(table([HEADS, *_rows(edges)]))
        if odds is None:
            note(NO_ODDS)
    groundless = [edge.hash for edge in edges if not edge.pairs]
    for one in groundless:
        note(f"no pair of faces is within the tolerance of a match with {one}: run facefleet check")
    return 1 if groundless else 0


def edges_of(found: Evidence, tolerance: float, odds: Odds | None) -> list[Edge]:
    """Each match with the pairs of faces that it rests on; the nearest first, groundless ones last."""
    ours = _vectors(found.picture)
    edges = [
        Edge(other.picture, other.names, _pairs(found.picture, ours, other, tolerance, odds))
        for other in found.matches
    ]
    return sorted(edges, key=lambda e: (e.pairs[0].distance if e.pairs else float("inf"), e.names, e.hash))


def _pairs(
    picture: Shown, ours: Sequence[Vector], other: Shown, tolerance: float, odds: Odds | None
) -> list[Pair]:
    pairs = [
        Pair(a, _box(picture, a), b, _box(other, b), distance, odds.probability(distance) if odds else None)
        for b, their in enumerate(_vectors(other))
        for a, our in enumerate(ours)
        if (distance := dist(our, their)) <= tolerance
    ]
    return sorted(pairs, key=lambda pair: pair.distance)


def _vectors(shown: Shown) -> list[Vector]:
    found = vectors(shown.encodings)
    if len(found) < len(shown.encodings):
        raise UsageError(f"picture {shown.picture} has a damaged encoding: run facefleet check")
    return found


def _box(shown: Shown, face: int) -> dict[str, Any] | None:
    return shown.boxes[face] if face < len(shown.boxes) else None


def _rows(edges: Sequence[Edge]) -> Iterator[Sequence[object]]:
    """A row for each pair; a picture is named in its first, by its hash if it has no name."""
    for edge in edges:
        shown = ", ".join(edge.names) or edge.hash
        for pair in edge.pairs:
            faces = pair.face, _place(pair.box), pair.other_face, _place(pair.other_box)
            yield shown, *faces, f"{pair.distance:.4f}", _percent(pair.probability)
            shown = ""


def _percent(probability: float | None) -> str:
    """Whole percent; never a hundred, which no estimate is."""
    if probability is None:
        return "unknown"
    return "over 99%" if probability > 0.99 else f"{probability:.0%}"


def _place(box: dict[str, Any] | None) -> str:
    """Left, top - right, bottom."""
    return "{left},{top}-{right},{bottom}".format_map(box) if box else "unknown"
