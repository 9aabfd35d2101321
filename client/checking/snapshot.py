"""All faces and edges of one state of the databases, read while others write.

The journal is the version. It names every picture that is committed or erased; the faces of a committed picture
never change, and an edge between two pictures is there for as long as both are. So what is read between two
readings of the journal holds for every picture that the journal does not name in between; those that it names
are left out, on both sides of every comparison. A rebuild's swap is not in the journal, but in `meta`.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from client.checking.edges import Codes, codes
from client.checking.faults import Faults
from faces.errors import StoreError
from faces.store.client import RedisClient
from faces.store.collection import inspection
from faces.store.collection.journal import ENTRY_BYTES
from faces.store.keys import ENCODING_BYTES, ENCODINGS, MATCHES

DIMENSIONS = ENCODING_BYTES // 4
REPLACED = StoreError("the data in Redis was replaced during the check: check again")
REBUILT = StoreError("a rebuild replaced the edges that were being checked: check again")


@dataclass(frozen=True)
class Snapshot:
    """Pictures, their faces and their edges.

    `picture_ids` gives each number its hash; some are left out, and nothing below names those. `faces` is float32
    of shape (n, 128), `owners` the number of each face's picture, `edges` what db 4 has, `tolerance` what it was
    made with: None before the first worker started.
    """

    picture_ids: list[bytes]
    present: int
    faces: NDArray[np.float32]
    owners: NDArray[np.int64]
    edges: Codes
    tolerance: float | None


def take(redis: RedisClient, faults: Faults, advance: Callable[[int], object] = lambda _: None) -> Snapshot:
    """Read the faces and edges of every picture that is there all the while.

    Args:
        redis: the connection to Redis.
        faults: takes what is wrong with the pictures in themselves; their edges are left to be compared.
        advance: called with how many keys have been read.

    Raises:
        StoreError: Redis is unavailable, or its data was replaced or rebuilt meanwhile.
    """
    last_rebuild, data_version = inspection.last_rebuild(redis), inspection.stored_version(redis)
    lines = inspection.journal_lines(redis)
    reading = _Reading(redis, _alive(lines, faults))
    reading.read(advance)
    moved = _moved(redis, lines)
    if inspection.last_rebuild(redis) != last_rebuild:
        raise REBUILT
    if inspection.stored_version(redis) != data_version:
        raise REPLACED
    return reading.settle(moved, inspection.tolerance(data_version), faults)


class _Reading:
    """What is read between the two readings of the journal, judged only after the second."""

    def __init__(self, redis: RedisClient, alive: dict[bytes, int]) -> None:
        self._redis = redis
        self._alive = alive
        self._strangers: list[tuple[bytes, str]] = []
        self._broken: dict[bytes, str] = {}
        self._encodings: list[bytes] = []
        self._owners = array("q")
        self._from = array("q")
        self._to = array("q")

    def read(self, advance: Callable[[int], object]) -> None:
        """Read db 3 and db 4."""
        for database in (ENCODINGS, MATCHES):
            for keys in inspection.keys(self._redis, database):
                self._note_strangers(database, keys)
        for picture_ids in _pieces(self._alive):
            for picture_id, found in zip(
                picture_ids, inspection.encodings(self._redis, picture_ids), strict=True
            ):
                self._note_faces(picture_id, found)
            for picture_id, others in zip(
                picture_ids, inspection.matches(self._redis, picture_ids), strict=True
            ):
                self._note_edges(picture_id, others)
            advance(len(picture_ids))

    def settle(self, moved: set[bytes], tolerance: float | None, faults: Faults) -> Snapshot:
        """Leave out the pictures that have moved, report what is wrong with the others."""
        settled = np.array([picture_id not in moved for picture_id in self._alive], dtype=np.bool_)
        for stranger, where in self._strangers:
            if stranger not in moved:
                faults.add(2, where)
        faces = np.frombuffer(b"".join(self._encodings), dtype="<f4").reshape(-1, DIMENSIONS)
        owners = np.array(self._owners, dtype=np.int64)
        picture_ids = list(self._alive)
        for number in np.unique(owners[~np.isfinite(faces).all(axis=1)]):
            self._broken[picture_ids[number]] = "db 3 has an encoding with a value that is not a number"
        for picture_id, fault in self._broken.items():
            if picture_id not in moved:
                faults.add(3, f"{picture_id.decode()}: {fault}")
            settled[self._alive[picture_id]] = False
        kept = settled[owners]
        return Snapshot(
            picture_ids,
            int(settled.sum()),
            faces[kept].astype(np.float32),
            owners[kept],
            self._settled_edges(settled),
            tolerance,
        )

    def _settled_edges(self, settled: NDArray[np.bool_]) -> Codes:
        first, second = np.array(self._from, dtype=np.int64), np.array(self._to, dtype=np.int64)
        kept = settled[first] & settled[second]
        return codes(first[kept], second[kept], len(self._alive))

    def _note_strangers(self, database: int, keys: Sequence[bytes]) -> None:
        for key in keys:
            if key not in self._alive:
                where = f"db {database} has the key {_text(key)}, a picture that does not exist"
                self._strangers.append((key, where))

    def _note_faces(self, picture_id: bytes, found: Sequence[bytes]) -> None:
        if not found:
            self._broken[picture_id] = "the journal has it, but db 3 has no encodings of it"
        elif any(len(encoding) != ENCODING_BYTES for encoding in found):
            self._broken[picture_id] = f"db 3 has an encoding that is not {ENCODING_BYTES} bytes long"
        else:
            self._encodings += found
            self._owners.extend([self._alive[picture_id]] * len(found))

    def _note_edges(self, picture_id: bytes, others: Sequence[bytes]) -> None:
        number = self._alive[picture_id]
        for other in others:
            to = self._alive.get(other)
            if to is None:
                where = f"db 4 gives {picture_id.decode()} the match {_text(other)}, a picture that does not exist"
                self._strangers.append((other, where))
            else:
                self._from.append(number)
                self._to.append(to)


def _alive(lines: Sequence[bytes], faults: Faults) -> dict[bytes, int]:
    """Number the pictures that are there after these lines of the journal."""
    alive: dict[bytes, None] = {}
    for number, line in enumerate(lines):
        if len(line) != ENTRY_BYTES or line[:1] not in {b"+", b"-"}:
            faults.add(3, f"line {number} of the journal is damaged: {line[:40]!r}")
        elif line[:1] == b"+":
            alive[_picture(line)] = None
        else:
            alive.pop(_picture(line), None)
    return {picture_id: number for number, picture_id in enumerate(alive)}


def _moved(redis: RedisClient, lines: Sequence[bytes]) -> set[bytes]:
    """The pictures that the journal names after these lines; the last of them is read again as a check."""
    again = inspection.journal_lines(redis, max(len(lines) - 1, 0))
    if again[: min(len(lines), 1)] != list(lines[-1:]):
        raise REPLACED
    return {_picture(line) for line in again[len(lines[-1:]) :]}


def _picture(line: bytes) -> bytes:
    return line[1:].hex().encode()


def _text(key: bytes) -> str:
    return key[:64].decode(errors="replace")


def _pieces(picture_ids: dict[bytes, int]) -> Iterator[list[bytes]]:
    waiting = iter(picture_ids)
    while piece := list(islice(waiting, inspection.PIECE)):
        yield piece
