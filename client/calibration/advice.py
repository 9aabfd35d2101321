"""Which tolerance suits a collection, now and when it has grown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from faces.odds import Odds

GROWTH = (1, 10)
HEADS = ("faces", "tolerance", "right", "found", "")


@dataclass(frozen=True, slots=True)
class Choice:
    """Of all matches at a tolerance, the share estimated right; of a person's other pictures, the share found."""

    faces: int
    tolerance: float
    right: float
    found: float
    best: bool


def choices(odds: Odds, tolerance: float) -> list[Choice]:
    """The current tolerance and the best one (by F1), with as many people as now and with ten times as many."""
    return [
        Choice(round(odds.faces * times), t, odds.right(t, times), odds.found(t), best)
        for times in GROWTH
        for t, best in ((tolerance, False), (odds.best_tolerance(times), True))
    ]


def rows(chosen: Sequence[Choice]) -> Iterator[Sequence[object]]:
    """The choices as a person reads them."""
    yield HEADS
    for one in chosen:
        label = "best balance" if one.best else "current"
        yield one.faces, f"{one.tolerance:.3f}", f"{one.right:.0%}", f"{one.found:.0%}", label


def warning(odds: Odds | None, tolerance: float | None) -> str | None:
    """What to say where more than half of all matches are estimated to be wrong."""
    if odds is None or tolerance is None or (right := odds.right(tolerance)) >= 0.5:
        return None
    return (
        f"an estimated {1 - right:.0%} of all matches are wrong at tolerance {tolerance:g}: facefleet rebuild"
        f" --tolerance {odds.best_tolerance():g} would suit {odds.faces:,.0f} faces better (facefleet calibrate)"
    )
