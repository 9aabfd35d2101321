"""A group as db 7 has it: numbers in a fixed layout, since there may be hundreds of thousands."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from faces.errors import StoreError

HEADER = struct.Struct("<IIqdd")
CENTROID = struct.Struct("<128f")
FACE = struct.Struct("<32sHH")
WORTH = 100  # a good face's evidence in a stored one
NOBODY = -1


class Face(NamedTuple):
    """A face: the digest of its picture, and its place among the picture's encodings in db 3."""

    picture: bytes
    place: int

    def __str__(self) -> str:
        return f"{self.picture.hex()}:{self.place}"

    @classmethod
    def parse(cls, text: str) -> Face:
        """Read `<hash>:<index>`.

        Raises:
            ValueError: it is something else.
        """
        picture, _, index = text.partition(":")
        digest = bytes.fromhex(picture)
        if len(digest) != 32 or not index.isdecimal():
            raise ValueError(f"{text[:80]!r} is not a face: write <hash>:<number>")
        return cls(digest, int(index))


class GroupRecord(NamedTuple):
    """A group's numbers.

    Attributes:
        size: how many faces it has.
        version: changes with everything but new faces.
        person: id of the person it shows; `NOBODY` where nothing was said of it.
        evidence: how many good faces it is worth.
        spread: mean squared distance of its faces from the centroid.
        centroid: 128 float32, packed.
    """

    size: int
    version: int
    person: int
    evidence: float
    spread: float
    centroid: bytes

    def pack(self) -> bytes:
        """The record as it is stored."""
        return HEADER.pack(*self[:5]) + self.centroid

    @classmethod
    def unpack(cls, stored: bytes) -> GroupRecord:
        """Read a stored record, or its header alone.

        Raises:
            StoreError: it is damaged.
        """
        if len(stored) not in {HEADER.size, HEADER.size + CENTROID.size}:
            raise StoreError(f"the record of a group is damaged: it has {len(stored)} bytes")
        return cls._make((*HEADER.unpack_from(stored), stored[HEADER.size :]))


def pack_faces(faces: Iterable[tuple[Face, float]]) -> bytes:
    """Faces, each with how many good ones it is worth, as they are stored."""
    return b"".join(FACE.pack(*face, round(WORTH * worth)) for face, worth in faces)


def unpack_faces(stored: bytes) -> Iterator[tuple[Face, float]]:
    """Read stored faces.

    Raises:
        StoreError: they are damaged.
    """
    if len(stored) % FACE.size:
        raise StoreError(f"the faces of a group are damaged: they have {len(stored)} bytes")
    return ((Face(picture, place), worth / WORTH) for picture, place, worth in FACE.iter_unpack(stored))
