"""Labelled pairs from the answers to "Are these the same person?": faces of the two who were asked about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, product

import numpy as np

from client.calibration.labelled import Compared
from client.calibration.sampled import Numbers, Sampled, sampled
from client.calibration.verification import FOLDS
from client.errors import UsageError
from faces.store.client import RedisClient
from faces.store.people import directory, statements
from faces.store.people.statements import Statement

EACH = 20  # pairs of an answer, so that those about many faces do not outweigh the others
CAVEAT = (
    "Only look-alikes are asked about: over all pairs the false match rate is lower than shown here, and the true "
    "accept rate higher."
)


def compare(redis: RedisClient, seed: int = 0) -> Compared:
    """Compare pairs of faces that somebody has stated to be of one person, or of two.

    Raises:
        UsageError: too few answers are recorded.
    """
    chance = np.random.default_rng(seed)
    answers = [
        s for s in statements.history(redis) if s.withdrawn is None and s.kind in {"same", "different"}
    ]
    ids = sorted({identity for answer in answers for identity in answer.people})
    asked_about = dict(zip(ids, directory.several(redis, ids), strict=True))
    somebody = list({person.id: person for person in asked_about.values() if person is not None}.values())
    faces = sampled(redis, somebody)
    number = {person.id: number for number, person in enumerate(somebody)}
    current = {identity: number[person.id] for identity, person in asked_about.items() if person is not None}
    same = _pairs(_of_one(faces, answers, current), chance)
    different = _pairs(_of_two(faces, answers, current), chance)
    if not len(same) or not len(different) or len(same) + len(different) < FOLDS:
        raise UsageError(
            f"the answers give {len(same)} pairs of one person and {len(different)} of two: too few. "
            "Answer more with facefleet people suggestions --ask"
        )
    return Compared(faces.trial(same, different, chance), absent=0)


Sides = tuple[Numbers, Numbers]


def _of_one(faces: Sampled, answers: Sequence[Statement], current: dict[str, int]) -> Iterator[Sides]:
    """The faces of two groups that are one person because somebody said so."""
    merged = {
        current[identity] for a in answers if a.kind == "same" for identity in a.people if identity in current
    }
    for owner in sorted(merged):
        groups = np.unique(faces.groups[faces.owners == owner])
        for one, other in combinations(groups, 2):
            yield np.flatnonzero(faces.groups == one), np.flatnonzero(faces.groups == other)


def _of_two(faces: Sampled, answers: Sequence[Statement], current: dict[str, int]) -> Iterator[Sides]:
    """The faces of two people whom somebody told apart."""
    for answer in answers:
        one, other = (current.get(identity) for identity in answer.people)
        if answer.kind == "different" and one is not None and other is not None:
            yield np.flatnonzero(faces.owners == one), np.flatnonzero(faces.owners == other)


def _pairs(sides: Iterable[Sides], chance: np.random.Generator) -> Numbers:
    """Some pairs across each two sides, (n, 2)."""
    found = [
        chance.permutation(list(product(one, other)))[:EACH]
        for one, other in sides
        if len(one) and len(other)
    ]
    return np.concatenate([np.empty((0, 2), np.int64), *found])
