"""People and faces as a person at a terminal names them."""

from __future__ import annotations

from collections.abc import Sequence

from client.errors import UsageError
from client.terminal import printable
from faces.picture_id import is_picture_id
from faces.store.client import RedisClient
from faces.store.collection import inspection
from faces.store.people import appearances, directory
from faces.store.people.directory import Person
from faces.store.pictures import queries

EXAMPLES = 2  # names of pictures beside a person in a list


def person_named(redis: RedisClient, given: str) -> Person:
    """The person with this id or name.

    Raises:
        UsageError: there is none, or several have the name.
    """
    found = directory.person(redis, given)
    named = directory.named(redis, given) if found is None else [found]
    if len(named) == 1:
        return named[0]
    if named:
        ids = ", ".join(person.id for person in named)
        raise UsageError(f"several people are named {printable(given)}: give one of the ids {ids}")
    raise UsageError(f"there is no person {printable(given)}: facefleet people list shows ids and names")


def face_named(redis: RedisClient, given: str, person: Person | None) -> str:
    """A face as `<hash>:<index>`, from `PICTURE` or `PICTURE:N`.

    Raises:
        UsageError: there is no such picture, or several of its faces are possible.
    """
    picture_id, index = _picture(redis, given)
    who = appearances.of_picture(redis, picture_id)
    possible = [n for n, one in enumerate(who) if person is None or (one is not None and one.id == person.id)]
    if index is None and len(possible) != 1:
        places = ", ".join(f"{given}:{n}" for n in possible) or "none of this person's"
        raise UsageError(f"{printable(given)} has {len(possible)} possible faces: {printable(places)}")
    return f"{picture_id}:{possible[0] if index is None else index}"


def picture_names(redis: RedisClient, picture_ids: Sequence[str]) -> dict[str, list[str]]:
    """The names of pictures, sorted."""
    found = inspection.names_of(redis, picture_ids)
    return {
        picture_id: sorted(name.decode(errors="replace") for name in names)
        for picture_id, names in zip(picture_ids, found, strict=True)
    }


def examples(redis: RedisClient, person: Person) -> str:
    """Names of the pictures with a person's most typical faces."""
    found = appearances.faces(redis, person)[:EXAMPLES]
    names = picture_names(redis, [face.picture_id for face in found])
    return ", ".join(dict.fromkeys(name for face in found for name in names[face.picture_id][:1]))


def _picture(redis: RedisClient, given: str) -> tuple[str, int | None]:
    """The hash and, if given, the index of `PICTURE` or `PICTURE:N`; a name may contain colons."""
    name, _, number = given.rpartition(":")
    options: list[tuple[str, int | None]] = [(given, None)]
    if number.isdecimal():
        options.append((name, int(number)))
    for picture, index in options:
        picture_id = picture if is_picture_id(picture) else queries.picture_named(redis, picture)
        if picture_id is not None:
            return picture_id, index
    raise UsageError(f"there is no picture {printable(given)}: give its hash or its name")
