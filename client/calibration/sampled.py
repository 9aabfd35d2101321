"""Some faces of each of some people, with their encodings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from client.calibration.verification import Trial
from faces.store.client import RedisClient
from faces.store.keys import ENCODING_BYTES, ENCODINGS
from faces.store.people import appearances
from faces.store.people.directory import Person

EACH = 20  # faces of a person, so that those with many do not outweigh the others
PAGE = 500  # faces read at once

Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Sampled:
    """Faces: encodings, (n, 128), the number of each one's person, (n,), and its group, (n,)."""

    encodings: NDArray[np.float32]
    owners: Numbers
    groups: NDArray[np.str_]

    def trial(self, same: Numbers, different: Numbers, chance: np.random.Generator) -> Trial:
        """Compare pairs of faces of one person, (n, 2), and of two, (m, 2), in an order drawn at random."""
        pairs = np.concatenate([same, different])
        apart = self.encodings[pairs[:, 0]].astype(np.float64) - self.encodings[pairs[:, 1]]
        labels = np.arange(len(pairs)) < len(same)
        order = chance.permutation(len(pairs))  # each tenth has both kinds
        return Trial(np.linalg.norm(apart, axis=1)[order], labels[order])


def sampled(redis: RedisClient, somebody: Sequence[Person]) -> Sampled:
    """Some faces of each person; a face that is being erased is left out.

    Raises:
        StoreError: Redis is unavailable.
    """
    found = [
        (number, face)
        for number, person in enumerate(somebody)
        for face in appearances.faces(redis, person, among=EACH)[:EACH]
    ]
    encodings: list[bytes | None] = []
    for start in range(0, len(found), PAGE):
        piece = found[start : start + PAGE]
        encodings += redis.ask(*((ENCODINGS, "LINDEX", face.picture_id, face.index) for _, face in piece))
    there = [
        (encoding, number, face.group)
        for encoding, (number, face) in zip(encodings, found, strict=True)
        if encoding is not None and len(encoding) == ENCODING_BYTES
    ]
    joined = b"".join(encoding for encoding, _, _ in there)
    return Sampled(
        np.frombuffer(joined, "<f4").reshape(-1, ENCODING_BYTES // 4),
        np.array([number for _, number, _ in there], np.int64),
        np.array([group for _, _, group in there], np.str_),
    )
