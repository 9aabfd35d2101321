"""Labelled pairs from the people that users have named: faces of one person, and of two with different names."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from client.calibration.labelled import Compared
from client.calibration.sampled import Numbers, sampled
from client.calibration.verification import FOLDS
from client.errors import UsageError
from faces.store.client import RedisClient
from faces.store.people import directory
from faces.store.people.directory import Person

MAX_PAIRS = 20_000  # pairs of each kind
PAGE = 500  # people read at once
CAVEAT = (
    "Faces that were grouped automatically are close to their person by construction: true accepts are overstated. "
    "People with different names are assumed to be different."
)


def compare(redis: RedisClient, seed: int = 0) -> Compared:
    """Compare pairs of one named person with as many pairs of two.

    Raises:
        UsageError: too few people are named.
    """
    chance = np.random.default_rng(seed)
    somebody = list(_named(redis))
    faces = sampled(redis, somebody)
    same = _of_one(faces.owners, chance)
    different = _of_two(faces.owners, np.array([person.name for person in somebody]), len(same), chance)
    if min(len(same), len(different)) < FOLDS:
        raise UsageError(
            f"{len(somebody)} people are named, with {len(faces.owners)} faces: too few. "
            "Name more with facefleet people"
        )
    return Compared(faces.trial(same, different, chance), absent=0)


def _named(redis: RedisClient) -> Iterator[Person]:
    page = directory.people(redis, most=PAGE, named=True)
    yield from page.people
    while page.following is not None:
        page = directory.people(redis, most=PAGE, named=True, after=page.following)
        yield from page.people


def _of_one(owners: Numbers, chance: np.random.Generator) -> Numbers:
    """Pairs of faces of one person, (n, 2)."""
    of_each = [np.flatnonzero(owners == number) for number in np.unique(owners)]
    pairs = np.array([pair for faces in of_each for pair in combinations(faces, 2)], np.int64).reshape(-1, 2)
    return chance.permutation(pairs)[:MAX_PAIRS]


def _of_two(owners: Numbers, names: NDArray[np.str_], count: int, chance: np.random.Generator) -> Numbers:
    """At most `count` different pairs of faces of people with different names, drawn at random, (n, 2)."""
    if not len(owners):
        return np.empty((0, 2), np.int64)
    drawn = np.sort(chance.integers(0, len(owners), (4 * count, 2)), axis=1)
    differ = names[owners[drawn[:, 0]]] != names[owners[drawn[:, 1]]]
    return chance.permutation(np.unique(drawn[differ], axis=0))[:count]
