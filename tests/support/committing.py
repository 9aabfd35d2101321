"""A worker without an engine, which commits made-up faces."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from faces.store.client import RedisClient
from faces.store.collection.data_version import DataVersion, agree
from faces.store.pictures.commit import CatchUp, DetectionResult, commit
from faces.store.pictures.outcome import Outcome
from worker.index.face_index import FaceIndex


def picture(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def face(person: int, number: int = 0) -> bytes:
    """A face of a person: near to the person's others, far from everybody else's."""
    rng = np.random.default_rng(person)
    centre = rng.normal(size=128)
    noise = np.random.default_rng([person, number]).normal(size=128)
    vector = centre / np.linalg.norm(centre) + 0.1 * noise / np.linalg.norm(noise)
    return vector.astype("<f4").tobytes()


def found(number: int, *people: int) -> DetectionResult:
    return DetectionResult(picture(number), [{} for _ in people], tuple(face(p, number) for p in people))


class Worker:
    """The part of a worker that follows the journal and commits."""

    def __init__(self, redis: RedisClient) -> None:
        self.redis = redis
        self.known = FaceIndex(0.6)
        self.data_version = DataVersion("test", 0.6)
        agree(redis, self.data_version)

    def commit(self, *pictures: DetectionResult) -> list[Outcome]:
        self.known.follow(self.redis)
        return self.commit_with(pictures, self.known.compare(pictures).catch_up)

    def commit_with(self, pictures: Sequence[DetectionResult], catch_up: CatchUp) -> list[Outcome]:
        committed = commit(self.redis, pictures, self.data_version, lambda: self.known.place, catch_up)
        done = [f for f, o in zip(pictures, committed.outcomes, strict=True) if o is Outcome.DONE]
        self.known.add_committed(done, committed.mark)
        return committed.outcomes
