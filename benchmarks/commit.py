"""`python -m benchmarks.commit`: how many pictures a second come into Redis, with 1 to 8 workers.

Ready-made encodings; everything else is as in a worker: each writer is a process that knows all faces and compares
every new one before it commits. A writer takes what waits, up to a limit, so that transactions grow with the load.
The named peer, in the same run: one bare client that writes the same keys in batches of 16 and compares nothing.
"""

from __future__ import annotations

import argparse
import hashlib
import multiprocessing
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from redis import Redis

from faces.config import Settings
from faces.store.client import RedisClient
from faces.store.collection.data_version import DataVersion, agree
from faces.store.pictures.accept import accept
from faces.store.pictures.commit import DetectionResult, commit
from faces.store.pictures.status import done, pending
from local.process import free_port
from local.redis import RedisServer
from worker.index.face_index import FaceIndex, vectors

BASIS = DataVersion("ready-made", 0.6)
PEER_BATCH = 16
PER_PERSON = 4


@dataclass(frozen=True)
class Written:
    """What one writer did, and when it was through, in seconds from the common start."""

    seconds: float
    transactions: int
    retries: int


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pictures", type=int, default=16_000)
    parser.add_argument("--writers", type=int, nargs="+", default=[1, 2, 4, 8])
    parser.add_argument("--most", type=int, default=64, help="pictures in one transaction at most")
    args = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # of the writers: there are more of them than cores
    pictures = ready_made(args.pictures)
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder), free_port())
        server.start()
        settings = replace(Settings(), redis_host="127.0.0.1", redis_port=server.port)
        try:
            print("writers  pictures/s  of bare client  retries a commit  slowest/fastest  lost pairs")
            for writers in args.writers:
                print(_row(settings, pictures, writers, args.most))
        finally:
            server.stop()


def ready_made(count: int) -> list[DetectionResult]:
    """Pictures with one face each, four of every person, in random order."""
    rng = np.random.default_rng(0)
    people = rng.normal(size=(-(-count // PER_PERSON), 128))
    faces = people.repeat(PER_PERSON, axis=0)[rng.permutation(count)]
    faces = faces / np.linalg.norm(faces, axis=1, keepdims=True) + rng.normal(scale=0.01, size=faces.shape)
    box = {"box": {"left": 10, "top": 10, "right": 90, "bottom": 90}}
    return [
        DetectionResult(
            hashlib.sha256(str(number).encode()).hexdigest(), [box], (face.astype("<f4").tobytes(),)
        )
        for number, face in enumerate(faces)
    ]


def _row(settings: Settings, pictures: list[DetectionResult], writers: int, most: int) -> str:
    _empty(settings)
    bare = len(pictures) / _bare(settings, pictures)
    _empty(settings)
    spawn = multiprocessing.get_context("spawn")
    start, written = spawn.Barrier(writers), spawn.Queue()
    shares = [pictures[number::writers] for number in range(writers)]
    processes = [spawn.Process(target=_write, args=(settings, s, most, start, written)) for s in shares]
    for process in processes:
        process.start()
    results: list[Written] = [written.get(timeout=600) for _ in processes]
    for process in processes:
        process.join()
    seconds = [result.seconds for result in results]
    rate = len(pictures) / max(seconds)
    retries = sum(r.retries for r in results) / sum(r.transactions for r in results)
    fair = min(seconds) / max(seconds)
    lost = _lost_pairs(settings, pictures)
    return f"{writers:7d}  {rate:10,.0f}  {rate / bare:14.2f}  {retries:16.2f}  {fair:15.2f}  {lost:10d}"


def _write(
    settings: Settings, pictures: Sequence[DetectionResult], most: int, start: Any, written: Any
) -> None:
    redis, known = RedisClient(settings), FaceIndex(BASIS.tolerance)
    agree(redis, BASIS)
    for found in pictures:
        accept(redis, found.picture_id, found.picture_id[:12])
    known.compare(pictures[:1])  # compiled, or read from the cache
    start.wait()
    begun = time.monotonic()
    transactions = retries = 0
    for first in range(0, len(pictures), most):
        batch = pictures[first : first + most]
        known.follow(redis)
        committed = commit(redis, batch, BASIS, lambda: known.place, known.compare(batch).catch_up)
        known.add_committed(batch, committed.mark)
        transactions += 1
        retries += committed.retries
    written.put(Written(time.monotonic() - begun, transactions, retries))


def _bare(settings: Settings, pictures: Sequence[DetectionResult]) -> float:
    """Write the keys of a commit, all known beforehand, with a plain client; gives seconds."""
    client = Redis(port=settings.redis_port)
    documents = [done(pending(f.picture_id), BASIS.model, f.faces).to_json() for f in pictures]
    begun = time.monotonic()
    for first in range(0, len(pictures), PEER_BATCH):
        pipe = client.pipeline(transaction=True)
        batch = pictures[first : first + PEER_BATCH]
        for found, document in zip(batch, documents[first : first + PEER_BATCH], strict=True):
            pipe.set(f"status:{found.picture_id}", document)
            pipe.rpush("journal", b"+" + bytes.fromhex(found.picture_id))
            pipe.hincrby("counts", "done", 1)
        for database, write in enumerate((_name, _hash, _encodings, _match), start=1):
            pipe.select(database)
            for found in batch:
                write(pipe, found)
        pipe.select(0)
        pipe.execute()
    seconds = time.monotonic() - begun
    client.close()
    return seconds


def _name(pipe: Any, found: DetectionResult) -> None:
    pipe.set(found.picture_id[:12], found.picture_id)


def _hash(pipe: Any, found: DetectionResult) -> None:
    pipe.sadd(found.picture_id, found.picture_id[:12])


def _encodings(pipe: Any, found: DetectionResult) -> None:
    pipe.rpush(found.picture_id, *found.encodings)


def _match(pipe: Any, found: DetectionResult) -> None:
    pipe.sadd(found.picture_id, found.picture_id)


def _lost_pairs(settings: Settings, pictures: Sequence[DetectionResult]) -> int:
    """Pairs that brute force finds and db 4 lacks, or the other way round."""
    faces = vectors([encoding for found in pictures for encoding in found.encodings])
    expected = set()
    for first in range(0, len(faces), 500):
        near = ((faces[first : first + 500] @ faces.T) > 0.7).nonzero()  # only candidates: the rule decides
        for one, other in zip((near[0] + first).tolist(), near[1].tolist(), strict=True):
            apart = np.sqrt(((faces[one].astype(float) - faces[other].astype(float)) ** 2).sum())
            if one != other and apart <= BASIS.tolerance:
                expected.add((pictures[one].picture_id, pictures[other].picture_id))
    redis = RedisClient(settings)
    replies = redis.ask(*((4, "SMEMBERS", found.picture_id) for found in pictures))
    redis.close()
    stored = {(f.picture_id, o.decode()) for f, others in zip(pictures, replies, strict=True) for o in others}
    return len(expected ^ stored)


def _empty(settings: Settings) -> None:
    with Redis(port=settings.redis_port) as client:
        client.flushall()


if __name__ == "__main__":
    main()
