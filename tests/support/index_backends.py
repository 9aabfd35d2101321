"""What a worker knows of faces, in its memory or in Milvus, and how it commits with that."""

from __future__ import annotations

import threading
from collections.abc import Callable

from faces.process.retrier import Retrier
from faces.store.client import RedisClient
from faces.store.collection.data_version import DataVersion
from faces.store.pictures.accept import accept
from faces.store.pictures.commit import DetectionResult, commit
from faces.store.pictures.outcome import Outcome
from worker.index.face_index import FaceIndex
from worker.index.shared_index import SharedIndex

BASIS = DataVersion("test", 0.6)
MakeKnown = Callable[[RedisClient], FaceIndex]


def in_memory(_: RedisClient) -> FaceIndex:
    return FaceIndex(BASIS.tolerance)


def shared_maker(url: str) -> MakeKnown:
    from worker.index.milvus import Milvus  # noqa: PLC0415 -- not before it is needed, as in a worker

    return lambda redis: FaceIndex(BASIS.tolerance, SharedIndex(redis, Milvus(url, "", BASIS.tolerance)))


def scan(redis: RedisClient, known: FaceIndex, *pictures: DetectionResult) -> None:
    """Accept pictures and commit them as a worker does."""
    for each in pictures:
        accept(redis, each.picture_id, each.picture_id[:8])
    Retrier(threading.Event()).until_done(lambda: known.follow(redis))  # two may begin a collection at once
    comparison = known.compare(pictures)
    committed = commit(redis, pictures, BASIS, lambda: known.place, comparison.catch_up)
    outcomes = zip(pictures, committed.outcomes, strict=True)
    known.add_committed([each for each, outcome in outcomes if outcome is Outcome.DONE], committed.mark)


def backup(redis: RedisClient) -> list[tuple[int, bytes, bytes]]:
    """All keys of all databases."""
    keys = [(database, key) for database in range(7) for key in redis.ask((database, "KEYS", "*"))[0]]
    dumps = redis.ask(*((database, "DUMP", key) for database, key in keys))
    return [(*key, dump) for key, dump in zip(keys, dumps, strict=True)]


def restore(redis: RedisClient, saved: list[tuple[int, bytes, bytes]]) -> None:
    redis.ask((0, "FLUSHALL"))
    redis.ask(*((database, "RESTORE", key, 0, dump) for database, key, dump in saved))
