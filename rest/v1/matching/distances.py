"""Distances between encodings, in plain Python: the server needs few of them, and no NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import dist

from faces.distances import vector
from faces.store.client import RedisClient
from faces.store.collection import odds

Chances = Callable[[float], float | None]
"""The chance that two faces at a distance are one person's; None while nothing is measured."""


def distances(ours: Sequence[bytes], theirs: Sequence[bytes]) -> Iterator[tuple[int, int, float]]:
    """The distance of every face of one picture to every face of another, with both places."""
    others = [vector(encoding) for encoding in theirs]
    for a, encoding in enumerate(ours):
        one = vector(encoding)
        for b, other in enumerate(others):
            yield a, b, dist(one, other)


def chances(redis: RedisClient) -> Chances:
    """The chances in this collection, as measured last (`faces.store.collection.odds`).

    Raises:
        StoreError: Redis is unavailable.
    """
    known = odds.read(redis)
    return known.probability if known is not None else lambda _: None
