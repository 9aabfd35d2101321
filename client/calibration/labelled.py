"""Metrics of the fleet's own answers on labelled pairs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from client.calibration.impostors import wilson
from client.calibration.verification import FOLDS, Pair, Trial
from client.errors import UsageError
from faces.store.client import RedisClient
from faces.store.collection import inspection
from faces.store.keys import ENCODING_BYTES

FEW = 10  # false matches on which a rate should rest at least

Encodings = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Compared:
    """The pairs whose pictures are both in the store, and how many are not."""

    trial: Trial
    absent: int


@dataclass(frozen=True, slots=True)
class Labelled:
    """The figures of labelled pairs at the tolerance, and at the one with a wanted share of false matches."""

    pairs: int
    absent: int
    without_a_face: int
    of_two_people: int
    tolerance: float
    accuracy: float
    accuracy_95: tuple[float, float]
    true_accepts: float
    false_matches: float
    best_accuracy: float
    best_tolerance: float
    fmr: float
    tolerance_at_fmr: float
    true_accepts_at_fmr: float


def compare(redis: RedisClient, pairs: Sequence[Pair]) -> Compared:
    """Compare pairs of pictures by name, as a match does: by their nearest faces.

    Raises:
        UsageError: hardly any of them is there, or all are of one kind.
    """
    names = sorted({name for pair in pairs for name in (pair.first, pair.second)})
    encodings = dict(_encodings(redis, names))
    there = [pair for pair in pairs if pair.first in encodings and pair.second in encodings]
    same = np.array([pair.same for pair in there], dtype=np.bool_)
    if not same.any() or same.all() or len(same) < FOLDS:
        example = names[0] if names else "Person/Person_0001.jpg"
        raise UsageError(
            f"of {len(pairs)} pairs, {same.sum()} of one person and {(~same).sum()} of two are in the store: "
            f"too few. Scan the folder that contains {example}, so that each picture is named by its path in it"
        )
    distances = np.array([_nearest(encodings[pair.first], encodings[pair.second]) for pair in there])
    return Compared(Trial(distances, same), len(pairs) - len(there))


def measured(compared: Compared, tolerance: float, fmr: float) -> Labelled:
    """The figures of the pairs."""
    trial = compared.trial
    accuracy, strict = trial.accuracy(tolerance), trial.tolerance_at(fmr)
    best, best_tolerance = trial.ten_fold()
    return Labelled(
        pairs=len(trial.same),
        absent=compared.absent,
        without_a_face=int(np.isinf(trial.distances).sum()),
        of_two_people=int((~trial.same).sum()),
        tolerance=tolerance,
        accuracy=accuracy,
        accuracy_95=wilson(accuracy, len(trial.same)),
        true_accepts=trial.true_accepts(tolerance),
        false_matches=trial.false_matches(tolerance),
        best_accuracy=best,
        best_tolerance=best_tolerance,
        fmr=fmr,
        tolerance_at_fmr=strict,
        true_accepts_at_fmr=trial.true_accepts(strict),
    )


def rows(found: Labelled) -> Iterator[tuple[str, object]]:
    """The figures as a person reads them."""
    low, high = found.accuracy_95
    yield "labelled pairs", found.pairs
    yield "of two people", found.of_two_people
    yield "not in the store, left out", found.absent
    yield "without a face, counted as wrong", found.without_a_face
    yield "accuracy", f"{found.accuracy:.2%}, 95% confidence {low:.2%} to {high:.2%}"
    yield "true accepts", f"{found.true_accepts:.2%}"
    yield "false matches", f"{found.false_matches:.3%}"
    yield "best accuracy, ten-fold", f"{found.best_accuracy:.2%} at {found.best_tolerance:.3f}"
    yield f"tolerance for {found.fmr:g} false matches", f"{found.tolerance_at_fmr:.4f}"
    yield "true accepts there", f"{found.true_accepts_at_fmr:.2%}"


def warnings(found: Labelled) -> Iterator[str]:
    """What the figures cannot carry."""
    if found.fmr * found.of_two_people < FEW:
        yield (
            f"{found.of_two_people} pairs of two people are few for a false match rate of {found.fmr:g}: "
            f"it rests on {found.fmr * found.of_two_people:.1f} false matches"
        )


def _encodings(redis: RedisClient, names: Sequence[str]) -> Iterator[tuple[str, Encodings]]:
    """The faces of each picture that is there, (n, 128)."""
    for start in range(0, len(names), inspection.PIECE):
        piece = names[start : start + inspection.PIECE]
        owners = inspection.owners(redis, [name.encode() for name in piece])
        there = [(name, owner) for name, owner in zip(piece, owners, strict=True) if owner is not None]
        found = inspection.encodings(redis, [owner for _, owner in there])
        for (name, _), encodings in zip(there, found, strict=True):
            joined = b"".join(encoding for encoding in encodings if len(encoding) == ENCODING_BYTES)
            yield name, np.frombuffer(joined, dtype="<f4").reshape(-1, ENCODING_BYTES // 4).astype(np.float64)


def _nearest(one: Encodings, other: Encodings) -> float:
    apart = one[:, None] - other[None]
    return float(np.sqrt((apart**2).sum(axis=-1)).min(initial=np.inf))
