"""Watches: which matches somebody wants to hear of at once, as `match` events.

A picture that is committed is held against watched names in its own transaction: one request to Redis more while
there is any watch, none without. The groups process holds it against watched people when it groups its faces
(`groups.answering.watching`). A watch that is added holds for pictures committed after it.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass

from faces.documents import from_json, readable, to_json
from faces.store.client import Command, RedisClient, Session
from faces.store.keys import HASHES, HOME, WATCHES

READ: Command = (HOME, "HVALS", WATCHES)
MOST_LOOKED_AT = 1000  # matches of one picture whose names are read


@dataclass(frozen=True, slots=True)
class Watch:
    """Asks for new pictures that match one whose name begins with `prefix`; "" stands for every picture.

    Or, where `person` is the id of one, for new pictures that show this person.
    """

    id: str
    prefix: str = ""
    person: str = ""

    @classmethod
    def from_json(cls, document: bytes) -> Watch:
        """Read a stored watch.

        Raises:
            ValueError, TypeError, KeyError: it is damaged.
        """
        values = from_json(document)
        watch = cls(values["id"], values["prefix"], values.get("person", ""))
        if not all(isinstance(text, str) for text in (watch.id, watch.prefix, watch.person)):
            raise ValueError("a field is not text")
        return watch


def add(redis: RedisClient, prefix: str = "", person: str = "") -> Watch:
    """Add a watch; the same prefix or person again gives the watch that is there."""
    for watch in every(redis):
        if (watch.prefix, watch.person) == (prefix, person):
            redis.confirm()  # whoever added it may have heard that replicas do not have it
            return watch
    watch = Watch(secrets.token_hex(8), prefix, person)
    redis.write((HOME, "HSET", WATCHES, watch.id, to_json(asdict(watch))))
    return watch


def every(redis: RedisClient) -> list[Watch]:
    """All watches."""
    (documents,) = redis.ask(READ)
    return sorted(readable(Watch.from_json, documents), key=lambda watch: (watch.person, watch.prefix))


def remove(redis: RedisClient, number: str) -> bool:
    """Remove a watch; False if there is none with this id."""
    (removed,) = redis.write((HOME, "HDEL", WATCHES, number))
    return bool(removed)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A picture that matches watched ones, and the ids of the watches."""

    picture_id: str
    matching: list[str]
    watches: list[str]


def sightings(
    session: Session, documents: Iterable[bytes], edges: Mapping[str, Collection[str]]
) -> list[Sighting]:
    """Hold the matches of pictures against the watches whose documents were read."""
    watches = [watch for watch in readable(Watch.from_json, documents) if not watch.person]
    matching = {p: sorted(others)[:MOST_LOOKED_AT] for p, others in edges.items() if others}
    if not watches or not matching:
        return []
    others = sorted({other for some in matching.values() for other in some})
    prefixed = any(watch.prefix for watch in watches)
    replies = (
        session.ask(*((HASHES, "SMEMBERS", other) for other in others)) if prefixed else [[]] * len(others)
    )
    names = {
        other: [name.decode(errors="replace") for name in some]
        for other, some in zip(others, replies, strict=True)
    }
    return [found for p, some in matching.items() if (found := _sighting(p, some, watches, names))]


def _sighting(
    picture_id: str, others: Sequence[str], watches: Sequence[Watch], names: Mapping[str, Sequence[str]]
) -> Sighting | None:
    seen: dict[str, list[str]] = {
        watch.id: [o for o in others if not watch.prefix or any(n.startswith(watch.prefix) for n in names[o])]
        for watch in watches
    }
    asked_for = [number for number, some in seen.items() if some]
    if not asked_for:
        return None
    matching = dict.fromkeys(other for number in asked_for for other in seen[number])
    return Sighting(picture_id, list(matching), asked_for)
