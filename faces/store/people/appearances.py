"""Whose face is whose: the faces and pictures of people, and the people in pictures.

Like `faces.store.people.directory`, it only reads. A face's `index` is its position in db 3; `Status.indexed` has
its number among all faces of the picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from faces.store.client import RedisClient
from faces.store.keys import ENCODINGS, GROUP_PICTURES, GROUPS, group_faces_key, group_key
from faces.store.people.directory import Person, owners_of
from faces.store.people.group_record import CENTROID, FACE, Face, GroupRecord, unpack_faces

AT_ONCE = 1000  # faces read in one round trip


@dataclass(frozen=True, slots=True)
class PersonFace:
    """A face of a person, with its distance to the centre of its group; `index` is its position in db 3."""

    picture_id: str
    index: int
    group: str
    distance: float


def faces(redis: RedisClient, somebody: Person, *, among: int | None = None) -> list[PersonFace]:
    """A person's faces, nearest to the centre of their group first.

    Takes about a millisecond per 100 faces: distances are computed from db 3. With `among`, only about so many are
    looked at, spread evenly over each group.
    """
    found = _distances(redis, somebody, among)
    return sorted(found, key=lambda face: (face.distance, face.picture_id, face.index))


def pictures(redis: RedisClient, somebody: Person) -> set[str]:
    """The hashes of all pictures of a person."""
    stored = redis.ask(*((GROUPS, "GET", group_faces_key(int(group))) for group in somebody.groups))
    return {face.picture.hex() for some in stored for face, _ in unpack_faces(some or b"")}


def covers(redis: RedisClient, people: Sequence[Person]) -> list[Face | None]:
    """The face that represents each person: the chosen one, else the first; None for a person without faces."""
    first = {somebody.groups[0] for somebody in people if somebody.cover is None and somebody.groups}
    stored = redis.ask(*((GROUPS, "GETRANGE", group_faces_key(int(g)), 0, FACE.size - 1) for g in first))
    faces_of = {g: face for g, some in zip(first, stored, strict=True) for face, _ in unpack_faces(some)}
    return [
        Face.parse(somebody.cover) if somebody.cover else faces_of.get(next(iter(somebody.groups), ""))
        for somebody in people
    ]


def of_picture(redis: RedisClient, picture_id: str) -> list[Person | None]:
    """The person of each indexed face of a picture, in order; [] for a picture that is not grouped (yet)."""
    return of_pictures(redis, [picture_id])[0]


def of_pictures(redis: RedisClient, picture_ids: Sequence[str]) -> list[list[Person | None]]:
    """`of_picture` for many pictures, in three round trips."""
    if not picture_ids:
        return []
    (stored,) = redis.ask((GROUPS, "HMGET", GROUP_PICTURES, *map(bytes.fromhex, picture_ids)))
    groups = [
        [int.from_bytes(some[at : at + 8], "little") for at in range(0, len(some or b""), 8)]
        for some in stored
    ]
    owners = owners_of(redis, {group for some in groups for group in some})
    return [[owners.get(group) for group in some] for some in groups]


def _distances(redis: RedisClient, somebody: Person, among: int | None) -> Iterator[PersonFace]:
    step = 1 if among is None else max(1, -(-somebody.count // among))
    for group in somebody.groups:
        record, stored = redis.ask(
            (GROUPS, "GET", group_key(int(group))), (GROUPS, "GET", group_faces_key(int(group)))
        )
        if record is None or stored is None:
            continue
        centroid = CENTROID.unpack(GroupRecord.unpack(record).centroid)
        members = [face for face, _ in unpack_faces(stored)][::step]
        for start in range(0, len(members), AT_ONCE):
            piece = members[start : start + AT_ONCE]
            for face, encoding in zip(piece, _encodings(redis, piece), strict=True):
                if encoding is not None:
                    distance = math.dist(CENTROID.unpack(encoding), centroid)
                    yield PersonFace(face.picture.hex(), face.place, group, distance)


def _encodings(redis: RedisClient, wanted: Sequence[Face]) -> list[bytes | None]:
    return redis.ask(*((ENCODINGS, "LINDEX", face.picture.hex(), face.place) for face in wanted))
