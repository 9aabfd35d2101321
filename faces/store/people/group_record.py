"""Binary records of groups in db 7: compact, since there may be hundreds of thousands."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from faces.errors import StoreError

HEADER = struct.Struct("<IIqdd")
CENTROID = struct.Struct("<128f")
FACE = struct.Struct("<32sHH")
WORTH = 100  # evidence 1 in an encoded face
NOBODY = -1


class Face(NamedTuple):
    """A face: the digest of its picture, and its place among the picture's encodings in db 3."""

    picture: bytes
    place: int

    def __str__(self) -> str:
        return f"{self.picture.hex()}:{self.place}"

    @classmethod
    def parse(cls, text: str) -> Face:
        """Parse `<hash>:<index>`.

        Raises:
            ValueError: wrong format.
        """
        picture, _, index = text.partition(":")
        digest = bytes.fromhex(picture)
        if len(digest) != 32 or not index.isdecimal():
            raise ValueError(f"{text[:80]!r} is not a face: use <hash>:<index>")
        return cls(digest, int(index))


class GroupRecord(NamedTuple):
    """A group's summary.

    Attributes:
        size: number of faces.
        version: changes with everything except new faces.
        person: id of the confirmed person; `NOBODY` if unconfirmed.
        evidence: sum of the evidence of its faces.
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
        """Encode the record."""
        return HEADER.pack(*self[:5]) + self.centroid

    @classmethod
    def unpack(cls, stored: bytes) -> GroupRecord:
        """Decode a record, or its header alone.

        Raises:
            StoreError: it is damaged.
        """
        if len(stored) not in {HEADER.size, HEADER.size + CENTROID.size}:
            raise StoreError(f"the record of a group is damaged: it has {len(stored)} bytes")
        return cls._make((*HEADER.unpack_from(stored), stored[HEADER.size :]))


def pack_faces(faces: Iterable[tuple[Face, float]]) -> bytes:
    """Encode faces with the evidence of each."""
    return b"".join(FACE.pack(*face, round(WORTH * worth)) for face, worth in faces)


def unpack_faces(stored: bytes) -> Iterator[tuple[Face, float]]:
    """Decode faces with the evidence of each.

    Raises:
        StoreError: they are damaged.
    """
    if len(stored) % FACE.size:
        raise StoreError(f"the faces of a group are damaged: they have {len(stored)} bytes")
    return ((Face(picture, place), worth / WORTH) for picture, place, worth in FACE.iter_unpack(stored))
