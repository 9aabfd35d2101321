"""The people in the pictures: those a user has named or confirmed, and unconfirmed groups of faces.

Both share one space of ids that stay stable as they grow: a person's id is that of their first group. The id of a
merged group leads to its successor. This module only reads what the groups process (`python -m groups`) writes;
changes go through `faces.store.people.statements`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from faces.documents import fields_of, from_json
from faces.store.client import RedisClient
from faces.store.keys import GROUPS, HIDDEN, MERGED, PEOPLE, SHOWN, SUGGESTIONS, group_key
from faces.store.people.group_record import HEADER, NOBODY, GroupRecord

PIECE = 250  # people read in one round trip at most


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
        cover: the face that represents the person, `<hash>:<index>`; None if none was chosen.
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


class Position(NamedTuple):
    """A person's position in the list: after all with more faces, and by id among those with as many."""

    faces: int
    id: str


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a list, how many it has in all, and after which position to go on; None at its end."""

    total: int
    people: list[Person] = field(default_factory=list)
    following: Position | None = None


def people(
    redis: RedisClient,
    *,
    most: int = 50,
    after: Position | None = None,
    hidden: bool = False,
    named: bool | None = None,
    prefix: str = "",
) -> Page:
    """People and unconfirmed groups, largest first.

    While people change, somebody may come on two pages; who stays the same is never left out.

    Args:
        redis: the connection to Redis.
        most: length of a page.
        after: the position that the page before ended with.
        hidden: list the hidden people instead.
        named: only people with a name, or only those without.
        prefix: only people whose name begins so, in capitals or not.
    """
    if named or prefix:
        everybody = _with_name(redis, prefix, hidden=hidden)
        total = len(everybody)
        rest = iter([p for p in everybody if after is None or _position(p) < after])
    else:
        key = HIDDEN if hidden else SHOWN
        unwanted = 0 if named is None else len(_with_name(redis, hidden=hidden))
        (listed,) = redis.ask((GROUPS, "ZCARD", key))
        total = int(listed) - unwanted
        rest = (p for p in _walk(redis, key, after, most + 1) if named is None or not p.name)
    found = [somebody for somebody, _ in zip(rest, range(most + 1), strict=False)]
    more = len(found) > most
    return Page(total, found[:most], _position(found[most - 1]) if more else None)


def count(redis: RedisClient) -> tuple[int, int]:
    """How many people and unconfirmed groups have faces, and how many of these are confirmed."""
    shown, hidden, documents = redis.ask(
        (GROUPS, "ZCARD", SHOWN), (GROUPS, "ZCARD", HIDDEN), (GROUPS, "HVALS", PEOPLE)
    )
    confirmed = sum(from_json(document)["count"] > 0 for document in documents)
    return int(shown) + int(hidden), confirmed


def person(redis: RedisClient, identity: str) -> Person | None:
    """Look up a person by id, or by the id of any of their groups, merged ones included; None if unknown."""
    return several(redis, [identity])[0]


def several(redis: RedisClient, identities: Sequence[str]) -> list[Person | None]:
    """Look up people as `person` does, in a few round trips."""
    numbers = {one: int(one) for one in identities if one.isdecimal() and len(one) < 19}
    current = _current(redis, set(numbers.values()))
    owners = owners_of(redis, set(current.values()))
    return [owners.get(current[numbers[one]]) if one in numbers else None for one in identities]


def owners_of(redis: RedisClient, groups: Collection[int]) -> dict[int, Person]:
    """The person, or unconfirmed group, that each of these groups belongs to; merged ones are left out."""
    if not groups:
        return {}
    headers = redis.ask(*((GROUPS, "GETRANGE", group_key(group), 0, HEADER.size - 1) for group in groups))
    owners = {
        group: owner if header and (owner := GroupRecord.unpack(header).person) != NOBODY else group
        for group, header in zip(groups, headers, strict=True)
    }
    numbers = sorted(set(owners.values()))
    found = dict(zip(numbers, _people(redis, numbers), strict=True))
    return {group: somebody for group, owner in owners.items() if (somebody := found[owner]) is not None}


def named(redis: RedisClient, name: str) -> list[Person]:
    """Everybody with this name."""
    (documents,) = redis.ask((GROUPS, "HVALS", PEOPLE))
    found = [int(d["id"]) for d in map(from_json, documents) if d["name"] == name]
    return [p for p in _people(redis, sorted(found)) if p is not None]


def suggestions(redis: RedisClient, *, most: int = 20, about: str | None = None) -> list[Suggestion]:
    """Pairs to ask about, most useful first; pairs merged in the meantime are left out.

    With `about`, only those with this person.
    """
    (stored,) = redis.ask((GROUPS, "GET", SUGGESTIONS))
    pairs = from_json(stored) if stored else []
    sides = several(redis, [pair[side] for pair in pairs for side in ("first", "second")])
    found = [
        Suggestion(first, second, pair["distance"], pair["limit"], pair["faces"], pair["shared"])
        for pair, first, second in zip(pairs, sides[::2], sides[1::2], strict=True)
        if first is not None and second is not None and first.id != second.id
    ]
    return [one for one in found if about in {None, one.first.id, one.second.id}][:most]


def _people(redis: RedisClient, numbers: Sequence[int]) -> list[Person | None]:
    """People and unconfirmed groups by the number of their first group."""
    if not numbers:
        return []
    documents, *headers = redis.ask(
        (GROUPS, "HMGET", PEOPLE, *numbers),
        *((GROUPS, "GETRANGE", group_key(number), 0, HEADER.size - 1) for number in numbers),
    )
    return [
        Person(**fields_of(Person, document)) if document else _unnamed(number, header)
        for number, document, header in zip(numbers, documents, headers, strict=True)
    ]


def _unnamed(number: int, header: bytes) -> Person | None:
    if not header:
        return None
    record = GroupRecord.unpack(header)
    return Person(id=str(number), count=record.size, version=record.version, groups=[str(number)])


def _current(redis: RedisClient, groups: Collection[int]) -> dict[int, int]:
    """Follow merged groups to what each has become part of."""
    current = {group: group for group in groups}
    moving = list(groups)
    while moving:
        (successors,) = redis.ask((GROUPS, "HMGET", MERGED, *(current[group] for group in moving)))
        followed = {group: int(to) for group, to in zip(moving, successors, strict=True) if to is not None}
        current |= followed
        moving = list(followed)
    return current


def _position(somebody: Person) -> Position:
    return Position(somebody.count, somebody.id)


def _with_name(redis: RedisClient, prefix: str = "", *, hidden: bool) -> list[Person]:
    """People with faces whose name begins so, in the order of the list."""
    (documents,) = redis.ask((GROUPS, "HVALS", PEOPLE))
    wanted = prefix.casefold()
    found = [
        somebody
        for somebody in (Person(**fields_of(Person, document)) for document in documents)
        if somebody.name and somebody.name.casefold().startswith(wanted)
    ]
    listed = [somebody for somebody in found if somebody.count and somebody.hidden == hidden]
    return sorted(listed, key=_position, reverse=True)


def _walk(redis: RedisClient, key: str, after: Position | None, wanted: int) -> Iterator[Person]:
    start = 0 if after is None else _rank_after(redis, key, after)
    size = min(wanted, PIECE)
    while True:
        (ids,) = redis.ask((GROUPS, "ZREVRANGE", key, start, start + size - 1))
        yield from (p for p in _people(redis, [int(number) for number in ids]) if p is not None)
        if len(ids) < size:
            return
        start += size


def _rank_after(redis: RedisClient, key: str, after: Position) -> int:
    """Where the list goes on; where somebody has changed, from the first with as many faces."""
    score, rank, larger = redis.ask(
        (GROUPS, "ZSCORE", key, after.id),
        (GROUPS, "ZREVRANK", key, after.id),
        (GROUPS, "ZCOUNT", key, f"({after.faces}", "+inf"),
    )
    unchanged = score is not None and int(float(score)) == after.faces
    return int(rank) + 1 if unchanged else int(larger)
