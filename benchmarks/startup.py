"""`python -m benchmarks.startup [--faces 1000000]`: how long a fresh worker takes to know all faces.

A Redis of the benchmark's own gets that many pictures of one face each: the journal and db 3, written raw, as
commits leave them. What is timed is `FaceIndex.follow`, from empty to complete, on one thread; loading the
models comes on top. The named peer, in the same run: the same lists asked for in a pipeline, and
nothing done with them.
"""

import argparse
import resource
import tempfile
import time
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from redis import Redis

from benchmarks.material.people import People  # first: it keeps NumPy to one thread
from faces.config import Settings
from faces.store.client import Command, RedisClient
from faces.store.collection import journal
from faces.store.keys import ENCODINGS, HOME, JOURNAL
from local.process import free_port
from local.redis import RedisServer
from worker.health.memory import resident
from worker.index.face_index import PIECE, FaceIndex

WRITTEN = 10_000  # pictures in one round trip
TOLERANCE = 0.6


def main() -> None:
    """Print a few lines."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faces", type=int, default=1_000_000)
    count = parser.parse_args().faces
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder), free_port())
        server.start()
        try:
            with Redis(port=server.port) as client:
                client.config_set("appendonly", "no")  # what is read comes from memory either way
            redis = RedisClient(replace(Settings(), redis_host="127.0.0.1", redis_port=server.port))
            fill(redis, count)
            bare = read_only(redis, count)
            start_up(redis, count, bare)
            redis.close()
        finally:
            server.stop()


def fill(redis: RedisClient, count: int) -> None:
    """Write pictures as their commits leave them, with what a start does not read left out."""
    people = People(max(count // 4, 1))
    for first in range(0, count, WRITTEN):
        digests = [sha256(str(n).encode()).digest() for n in range(first, min(first + WRITTEN, count))]
        faces = people.faces(len(digests)).astype("<f4")
        encodings: list[Command] = [
            (ENCODINGS, "RPUSH", digest.hex(), face.tobytes())
            for digest, face in zip(digests, faces, strict=True)
        ]
        redis.ask((HOME, "RPUSH", JOURNAL, *(b"+" + digest for digest in digests)), *encodings)


def read_only(redis: RedisClient, count: int) -> float:
    """Read all encodings in one round trip a piece; gives seconds."""
    digests = [sha256(str(n).encode()).hexdigest() for n in range(count)]
    begun = time.perf_counter()
    for first in range(0, count, PIECE):
        redis.ask(*((ENCODINGS, "LRANGE", digest, 0, -1) for digest in digests[first : first + PIECE]))
    return time.perf_counter() - begun


def start_up(redis: RedisClient, count: int, bare: float) -> None:
    """Follow the journal from its beginning, and print what it took."""
    FaceIndex(TOLERANCE).advance(journal.read(redis, 0, 10))  # compiled, or read from the cache
    before, known = resident(), FaceIndex(TOLERANCE)
    begun, ours = time.perf_counter(), time.process_time()
    known.follow(redis)
    seconds, ours = time.perf_counter() - begun, time.process_time() - ours
    if len(known) != count:
        raise RuntimeError(f"{len(known)} of {count} faces known")
    print(f"{count:,} faces known after {seconds:.1f} s, {ours:.1f} s of the processor in the worker")
    print(
        f"{count / seconds:,.0f} faces a second; {bare / seconds:.2f} of what reading them alone would give"
    )
    print(f"{(resident() - before) / count:,.0f} bytes a face; at most {peak() / 1e6:,.0f} MB resident")


def peak() -> int:
    """Most bytes of this process that ever lay in memory."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


if __name__ == "__main__":
    main()
