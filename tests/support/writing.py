"""A worker in miniature: commits, renames and erases pictures as the fleet does, matching by brute force."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Collection, Sequence

import numpy as np

from faces.store.client import RedisClient
from faces.store.collection import data_version, journal
from faces.store.collection.data_version import DataVersion
from faces.store.collection.journal import Entry, Place
from faces.store.pictures.accept import accept
from faces.store.pictures.commit import DetectionResult, commit
from faces.store.pictures.erase import erase

TOLERANCE = 0.6
MADE_WITH = DataVersion("test", TOLERANCE)


def picture(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def face(person: int, number: int) -> bytes:
    """A face of a person, near to the person's others and far from everybody else's."""
    centre = np.random.default_rng(person).normal(size=128)
    noise = np.random.default_rng([person, number]).normal(size=128)
    vector = centre / np.linalg.norm(centre) + 0.1 * noise / np.linalg.norm(noise)
    return vector.astype("<f4").tobytes()


def vectors(encodings: Sequence[bytes]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.frombuffer(b"".join(encodings), dtype="<f4").reshape(-1, 128).astype(np.float64)


class Writer:
    """Belongs to one thread. Picture `n` shows persons `n % 7`, and `n % 5` as well when `n` is even."""

    def __init__(self, redis: RedisClient) -> None:
        self.redis = redis
        data_version.agree(redis, MADE_WITH)
        self.position = 0
        self.known: dict[str, tuple[bytes, ...]] = {}
        self._numbers = iter(range(10_000))
        self._chance = random.Random(5)

    def add(self, *numbers: int) -> None:
        """Accept and commit pictures, each under its number as its name."""
        for number in numbers:
            accept(self.redis, picture(number), str(number))
        self.commit([self.found(number) for number in numbers])

    def found(self, number: int) -> DetectionResult:
        people = [number % 7] + ([10 + number % 5] if number % 2 == 0 else [])
        return DetectionResult(picture(number), [{} for _ in people], tuple(face(p, number) for p in people))

    def commit(self, found: Sequence[DetectionResult]) -> None:
        def catch_up(tail: Sequence[Entry], ours: Collection[str]) -> list[set[str]]:
            self.advance(tail)
            everyone = self.known | {f.picture_id: f.encodings for f in found if f.picture_id in ours}
            return [matching(f, everyone) for f in found]

        commit(self.redis, found, MADE_WITH, lambda: Place(self.position), catch_up)

    def advance(self, tail: Sequence[Entry]) -> None:
        for entry in tail:
            self.known.pop(entry.digest.hex(), None)
            if entry.encodings:
                self.known[entry.digest.hex()] = entry.encodings
        self.position += len(tail)

    def step(self) -> None:
        """Do one of the things that the fleet does, now and then two at once."""
        number = next(self._numbers)
        self.add(number, 10_000 + number)
        if number % 3 == 0:
            accept(self.redis, self._some_picture(), f"again {number % 10}")  # a name that moves about
        if number % 4 == 0:
            erase(self.redis, self._some_picture())
        if number % 20 == 0:
            self.advance(journal.read(self.redis, self.position, 1000))
            self.add(self._chance.randrange(number + 1))  # erased before, or there still

    def _some_picture(self) -> str:
        self.advance(journal.read(self.redis, self.position, 1000))
        return self._chance.choice(sorted(self.known))


def matching(found: DetectionResult, everyone: dict[str, tuple[bytes, ...]]) -> set[str]:
    ours = vectors(found.encodings)[:, None]
    return {
        other
        for other, encodings in everyone.items()
        if other != found.picture_id
        and (np.sqrt(((ours - vectors(encodings)) ** 2).sum(axis=-1)) <= TOLERANCE).any()
    }
