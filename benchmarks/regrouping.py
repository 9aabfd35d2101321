"""How long it takes to group every face from nothing, as the groups process does after a restore.

    python -m benchmarks.regrouping [--faces 1000000] [--redis]

Faces come in random order, one a picture, drawn as in `benchmarks.material.people`. As in Labelled Faces in the
Wild, seven people in ten have one face and few have many: n faces with a probability like n^-2.3, 1,000 at most.

The grouping alone is measured, and with `--redis` all of it: a Redis server of its own, its append-only file on
disk, holds the pictures as commits leave them. The process follows their journal step by step, saves every step, is
started again, and checked.

Times are those of the processor, and include the drawing of the faces. `MB` is what this process takes beyond what
it took before the first face.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.material.people import Faces, People
from faces.config import Settings
from faces.store.client import Command, RedisClient
from faces.store.collection import journal
from faces.store.collection.data_version import DataVersion, agree
from faces.store.keys import ENCODINGS, GROUPS, HOME, status_key
from faces.store.pictures.status import done, pending
from groups.checking.faults import faults
from groups.clustering.grouping import Grouping
from groups.clustering.partition import Partition
from groups.clustering.rule import Rule
from groups.clustering.table import Table
from groups.follower import Follower
from groups.statements.constraints import Constraints
from groups.warm import warm_up
from local.process import free_port
from local.redis import RedisServer
from worker.health.memory import resident

PIECE = 10_000  # faces drawn at once
FALLS, MAX_SIZE = 2.3, 1_000
MODEL = DataVersion("drawn", 0.6)
QUALITY = {"size": 120, "sharpness": 8.0, "pose": 0.1, "score": 2.0}


def crowd(count: int) -> Iterator[Faces]:
    """Draw so many faces, a piece at a time; the people are drawn at once."""
    random = np.random.default_rng(1)
    sizes = np.arange(1, MAX_SIZE + 1)
    shares = sizes**-FALLS / (sizes**-FALLS).sum()
    pictures = random.choice(sizes, size=count, p=shares)  # of each person
    owners: NDArray[np.int64] = np.repeat(np.arange(count), pictures)[:count]
    people = People(int(owners[-1]) + 1)
    owners = random.permutation(owners)
    return (people.of(owners[first : first + PIECE]) for first in range(0, count, PIECE))


def digest(number: int) -> bytes:
    """The digest of a picture."""
    return sha256(str(number).encode()).digest()


@dataclass
class Account:
    """Prints a row each time a tenth more has been grouped."""

    faces: int
    memory: int = field(default_factory=resident)
    begun: float = field(default_factory=time.process_time)
    rows: list[tuple[int, float]] = field(default_factory=lambda: [(0, 0.0)])

    def __post_init__(self) -> None:
        print(
            f"{'faces':>10} {'groups':>9} {'ms a face':>10} {'faces/s':>8} {'bytes a group':>14} {'seconds':>8}"
            f" {'MB':>6}"
        )

    def reached(self, grouped: int, table: Table) -> None:
        """Print a row if one is due."""
        before, then = self.rows[-1]
        if grouped - before < self.faces // 10 and grouped < self.faces:
            return
        now = time.process_time() - self.begun
        each = (now - then) / max(grouped - before, 1)
        self.rows.append((grouped, now))
        print(
            f"{grouped:>10,} {len(table):>9,} {each * 1e3:>10.2f} {1 / each:>8,.0f}"
            f" {table.nbytes / max(len(table), 1):>14.0f} {now:>8.1f} {(resident() - self.memory) >> 20:>6,}",
            flush=True,
        )


def alone(count: int) -> None:
    """Group faces from memory."""
    grouping = Grouping(Rule(), Partition(lambda faces: [None] * len(faces)), Constraints())
    pieces, account, number = crowd(count), Account(count), 0
    for piece in pieces:
        for face in piece:
            grouping.commit(digest(number), face[None], [1.0])
            number += 1
        grouping.partition.drain()
        account.reached(number, grouping.table)


def fill(redis: RedisClient, count: int) -> None:
    """Write pictures as their commits leave them, without matches and names."""
    agree(redis, MODEL)
    mark, first = journal.Mark(), 0
    for piece in crowd(count):
        digests = [digest(first + place).hex() for place in range(len(piece))]
        mark = journal.new_mark(mark)
        commands: list[Command] = journal.committed(mark, *digests)
        for picture, face in zip(digests, piece.astype("<f4"), strict=True):
            status = done(pending(picture), MODEL.model, [{"quality": QUALITY}])
            commands.append((HOME, "SET", status_key(picture), status.to_json()))
            commands.append((ENCODINGS, "RPUSH", picture, face.tobytes()))
        redis.ask(*sorted(commands, key=lambda command: int(command[0])))
        first += len(piece)


def followed(redis: RedisClient, count: int) -> None:
    """Group pictures from Redis, read the result again, and check it."""
    fill(redis, count)
    (before,) = redis.ask((GROUPS, "INFO", "memory"))
    follower = Follower(redis, Rule())
    if not follower.lease.take():
        raise RuntimeError("somebody else keeps the groups")
    follower.load()
    account, begun = Account(count), time.perf_counter()
    while follower.step():
        follower.lease.extend()
        account.reached(follower.faces, follower.partition.table)
    print(f"{time.perf_counter() - begun:.1f} s by the clock, with Redis and its disk")
    (after,) = redis.ask((GROUPS, "INFO", "memory"))
    groups = len(follower.partition.table)
    print(f"{(_used(after) - _used(before)) / groups:,.0f} bytes of Redis a group")
    begun, ours = time.perf_counter(), time.process_time()
    follower.load()
    print(
        f"read again in {time.perf_counter() - begun:.1f} s, {time.process_time() - ours:.1f} s of the processor"
    )
    print(f"{len(faults(redis))} faults")


def _used(info: bytes) -> int:
    return int(info.split(b"used_memory:")[1].split()[0])


def main() -> None:
    """Read the arguments, and measure."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faces", type=int, default=1_000_000)
    parser.add_argument("--redis", action="store_true", help="read from Redis and save there")
    arguments = parser.parse_args()
    warm_up()
    if not arguments.redis:
        alone(arguments.faces)
        return
    with tempfile.TemporaryDirectory() as folder:
        server = RedisServer(Path(folder), free_port())
        server.start()
        redis = RedisClient(replace(Settings(), redis_host="127.0.0.1", redis_port=server.port))
        try:
            followed(redis, arguments.faces)
        finally:
            redis.close()
            server.stop()


if __name__ == "__main__":
    main()
