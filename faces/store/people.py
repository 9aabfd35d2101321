"""Who is on the pictures: people, and groups of faces of whom nobody has said anything yet.

Both are listed together under ids that stay as they grow: the id of a person is that of their first group. An id
that was merged into another leads there. What people say goes through `faces.store.statements`; everything here
only reads what the process that keeps groups (`python -m groups`) has written.
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
    """Somebody: a group of faces, or several that people have said to be of one person.

    Attributes:
        id: stays while the person grows.
        name: "" where nobody has said it.
        count: faces in all groups.
        version: to be given with a statement; changes with everything but new faces.
        groups: ids of the groups, at least one.
        confirmed: whether anything was said of this person.
        hidden: left out of lists.
        cover: the face to show, `<hash>:<index>`; None: choose the first of `faces`.
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
    """A face of a person; `distance` is from its group's centre, `index` counts the picture's indexed faces."""

    picture_id: str
    index: int
    group: str
    distance: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Two that may be one person; an answer settles who `faces` faces show.

    `distance` is the root of the average squared distance between their faces, `limit` up to where they would have
    been joined without asking; `shared` counts the pictures that show both.
    """

    first: Person
    second: Person
    distance: float
    limit: float
    faces: int
    shared: int


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list, and how many there are in all."""

    total: int
    people: list[Person] = field(default_factory=list)


def people(redis: RedisClient, *, first: int = 0, most: int = 50, hidden: bool = False) -> Page:
    """People and groups, those with the most faces first; `hidden` lists the hidden ones instead."""
    key = HIDDEN if hidden else SHOWN
    total, found = redis.ask((GROUPS, "ZCARD", key), (GROUPS, "ZREVRANGE", key, first, first + most - 1))
    return Page(int(total), [p for p in _people(redis, [int(number) for number in found]) if p is not None])


def person(redis: RedisClient, identity: str) -> Person | None:
    """Somebody by id, or by that of a group which is theirs or was merged into it; None where there is nobody."""
    if not identity.isdecimal():
        return None
    group = _current(redis, int(identity))
    (header,) = redis.ask((GROUPS, "GETRANGE", group_key(group), 0, HEADER.size - 1))
    owner = GroupRecord.unpack(header).person if header else NOBODY
    return _people(redis, [group if owner == NOBODY else owner])[0]


def named(redis: RedisClient, name: str) -> list[Person]:
    """Everybody who is called so."""
    (documents,) = redis.ask((GROUPS, "HVALS", PEOPLE))
    found = [int(d["id"]) for d in map(from_json, documents) if d["name"] == name]
    return [p for p in _people(redis, sorted(found)) if p is not None]


def faces(
    redis: RedisClient, somebody: Person, *, first: int = 0, most: int | None = None
) -> list[PersonFace]:
    """The faces of a person, those nearest to the centre of their group first.

    About a millisecond for 100 faces: their distances are computed from db 3.
    """
    found = sorted(_distances(redis, somebody), key=lambda face: (face.distance, face.picture_id, face.index))
    return found[first:] if most is None else found[first : first + most]


def of_picture(redis: RedisClient, picture_id: str) -> list[Person | None]:
    """Who a picture's indexed faces show, in their order; [] for a picture that is not grouped (yet)."""
    (stored,) = redis.ask((GROUPS, "HGET", GROUP_PICTURES, bytes.fromhex(picture_id)))
    groups = [int.from_bytes(stored[at : at + 8], "little") for at in range(0, len(stored or b""), 8)]
    return [person(redis, str(group)) for group in groups]


def suggestions(redis: RedisClient, *, most: int = 20) -> list[Suggestion]:
    """Pairs to ask about, the most useful first; those that have become one meanwhile are left out."""
    (stored,) = redis.ask((GROUPS, "GET", SUGGESTIONS))
    pairs = from_json(stored) if stored else []
    found = []
    for pair in pairs:
        first, second = person(redis, pair["first"]), person(redis, pair["second"])
        if first is not None and second is not None and first.id != second.id:
            found.append(
                Suggestion(first, second, pair["distance"], pair["limit"], pair["faces"], pair["shared"])
            )
        if len(found) == most:
            break
    return found


def _people(redis: RedisClient, numbers: Sequence[int]) -> list[Person | None]:
    """People and groups by the number of their first group."""
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
