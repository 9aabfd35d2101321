"""The people in the pictures: those a user has named or confirmed, and unconfirmed groups of faces.

Both share one space of ids that stay stable as they grow: a person's id is that of their first group. The id of a
merged group leads to its successor. This module only reads what the groups process (`python -m groups`) writes;
changes go through `faces.store.statements`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from faces.documents import from_json
from faces.store.client import RedisClient
from faces.store.group_record import CENTROID, HEADER, NOBODY, Face, GroupRecord, unpack_faces
from faces.store.keys import (
    ENCODINGS,
    GROUP_PICTURES,
    GROUPS,
    HIDDEN,
    MERGED,
    PEOPLE,
    SHOWN,
    SUGGESTIONS,
    group_faces_key,
    group_key,
)

AT_ONCE = 1000  # faces read in one round trip


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A person, or an unconfirmed group of faces.

    Attributes:
        id: stable while the person grows.
        name: "" if unnamed.
        count: number of faces in all groups.
        version: to be passed along with a statement; changes with everything except new faces.
        groups: ids of the groups that have faces.
        confirmed: whether there is any statement about this person.
        hidden: excluded from lists.
        cover: the face that represents the person, `<hash>:<index>`; None: use the first of `faces`.
    """

    id: str
    count: int
    version: int
    groups: list[str]
    name: str = ""
    confirmed: bool = False
    hidden: bool = False
    cover: str | None = None


@dataclass(frozen=True, slots=True)
class PersonFace:
    """A face of a person, with its distance to the centre of its group; `index` is its position in db 3."""

    picture_id: str
    index: int
    group: str
    distance: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Two people who may be one; an answer settles `faces` faces.

    `distance` is the root mean squared distance between their faces; up to `limit` they would have been merged
    without asking. `shared` is the number of pictures that show both.
    """

    first: Person
    second: Person
    distance: float
    limit: float
    faces: int
    shared: int


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list, with the total count."""

    total: int
    people: list[Person] = field(default_factory=list)


def people(redis: RedisClient, *, first: int = 0, most: int = 50, hidden: bool = False) -> Page:
    """People and unconfirmed groups, largest first; `hidden` lists the hidden ones instead."""
    key = HIDDEN if hidden else SHOWN
    total, found = redis.ask((GROUPS, "ZCARD", key), (GROUPS, "ZREVRANGE", key, first, first + most - 1))
    return Page(int(total), [p for p in _people(redis, [int(number) for number in found]) if p is not None])


def person(redis: RedisClient, identity: str) -> Person | None:
    """Look up a person by id, or by the id of any of their groups, merged ones included; None if unknown."""
    if not identity.isdecimal():
        return None
    group = _current(redis, int(identity))
    (header,) = redis.ask((GROUPS, "GETRANGE", group_key(group), 0, HEADER.size - 1))
    owner = GroupRecord.unpack(header).person if header else NOBODY
    return _people(redis, [group if owner == NOBODY else owner])[0]


def named(redis: RedisClient, name: str) -> list[Person]:
    """Everybody with this name."""
    (documents,) = redis.ask((GROUPS, "HVALS", PEOPLE))
    found = [int(d["id"]) for d in map(from_json, documents) if d["name"] == name]
    return [p for p in _people(redis, sorted(found)) if p is not None]


def faces(
    redis: RedisClient, somebody: Person, *, first: int = 0, most: int | None = None
) -> list[PersonFace]:
    """A person's faces, nearest to the centre of their group first.

    Takes about a millisecond per 100 faces: distances are computed from db 3.
    """
    found = sorted(_distances(redis, somebody), key=lambda face: (face.distance, face.picture_id, face.index))
    return found[first:] if most is None else found[first : first + most]


def of_picture(redis: RedisClient, picture_id: str) -> list[Person | None]:
    """The person of each indexed face of a picture, in order; [] for a picture that is not grouped (yet)."""
    (stored,) = redis.ask((GROUPS, "HGET", GROUP_PICTURES, bytes.fromhex(picture_id)))
    groups = [int.from_bytes(stored[at : at + 8], "little") for at in range(0, len(stored or b""), 8)]
    return [person(redis, str(group)) for group in groups]


def suggestions(redis: RedisClient, *, most: int = 20, about: str | None = None) -> list[Suggestion]:
    """Pairs to ask about, most useful first; pairs merged in the meantime are left out.

    With `about`, only those with this person.
    """
    (stored,) = redis.ask((GROUPS, "GET", SUGGESTIONS))
    pairs = from_json(stored) if stored else []
    found = []
    for pair in pairs:
        first, second = person(redis, pair["first"]), person(redis, pair["second"])
        if first is None or second is None or first.id == second.id:
            continue
        if about in {None, first.id, second.id}:
            found.append(
                Suggestion(first, second, pair["distance"], pair["limit"], pair["faces"], pair["shared"])
            )
        if len(found) == most:
            break
    return found


def _people(redis: RedisClient, numbers: Sequence[int]) -> list[Person | None]:
    """People and unconfirmed groups by the number of their first group."""
    if not numbers:
        return []
    documents, *headers = redis.ask(
        (GROUPS, "HMGET", PEOPLE, *numbers),
        *((GROUPS, "GETRANGE", group_key(number), 0, HEADER.size - 1) for number in numbers),
    )
    return [
        Person(**from_json(document)) if document else _unnamed(number, header)
        for number, document, header in zip(numbers, documents, headers, strict=True)
    ]


def _unnamed(number: int, header: bytes) -> Person | None:
    if not header:
        return None
    record = GroupRecord.unpack(header)
    return Person(id=str(number), count=record.size, version=record.version, groups=[str(number)])


def _current(redis: RedisClient, group: int) -> int:
    """Follow a merged group to what it has become part of."""
    while True:
        (successor,) = redis.ask((GROUPS, "HGET", MERGED, group))
        if successor is None:
            return group
        group = int(successor)


def _distances(redis: RedisClient, somebody: Person) -> Iterator[PersonFace]:
    for group in somebody.groups:
        record, stored = redis.ask(
            (GROUPS, "GET", group_key(int(group))), (GROUPS, "GET", group_faces_key(int(group)))
        )
        if record is None or stored is None:
            continue
        centroid = CENTROID.unpack(GroupRecord.unpack(record).centroid)
        members = [face for face, _ in unpack_faces(stored)]
        for start in range(0, len(members), AT_ONCE):
            piece = members[start : start + AT_ONCE]
            for face, encoding in zip(piece, _encodings(redis, piece), strict=True):
                if encoding is not None:
                    distance = math.dist(CENTROID.unpack(encoding), centroid)
                    yield PersonFace(face.picture.hex(), face.place, group, distance)


def _encodings(redis: RedisClient, wanted: Sequence[Face]) -> list[bytes | None]:
    return redis.ask(*((ENCODINGS, "LINDEX", face.picture.hex(), face.place) for face in wanted))
