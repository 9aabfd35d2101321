"""Rebuilds of a small collection."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from faces.store.client import RedisClient
from faces.store.collection import rebuild
from faces.store.collection.data_version import DataVersion
from faces.store.collection.journal import Entry
from faces.store.pictures.accept import accept
from tests.support.committing import Worker, found, picture
from worker.index.face_index import FaceIndex, vectors


class Memory:
    """Faces in memory."""

    def __init__(self, tolerance: float) -> None:
        self.known = FaceIndex(tolerance)

    def advance(self, entries: Sequence[Entry]) -> None:
        self.known.advance(entries)

    def matching(self, entries: Sequence[Entry]) -> Sequence[Collection[str]]:
        return [
            {d.hex() for found in self.known.matches(vectors(e.encodings)) for d in found} - {e.digest.hex()}
            for e in entries
        ]


def run(redis: RedisClient, data_version: DataVersion) -> list[tuple[int, int]]:
    return list(rebuild.rebuild(redis, data_version, Memory(data_version.tolerance)))


def filled(redis: RedisClient, first: int, last: int) -> Worker:
    worker = Worker(redis)
    for number in range(first, last):
        accept(redis, picture(number), str(number))
        worker.commit(found(number, number % 3, number % 2))
    return worker
