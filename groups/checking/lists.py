"""What is saved beside the groups for readers: the groups of pictures, the lists and documents of people."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from faces.documents import from_json, to_json
from faces.store.client import RedisClient
from faces.store.keys import GROUP_PICTURES, GROUPS, HIDDEN, PEOPLE, SHOWN
from groups.follower import Follower
from groups.saved.documents import person_document


def check_lists(redis: RedisClient, follower: Follower) -> Iterator[str]:
    """Pictures, lists and documents of people match the groups."""
    members, people = follower.partition.members, follower.grouping.constraints.people
    stored, shown, hidden, documents = redis.ask(
        (GROUPS, "HGETALL", GROUP_PICTURES),
        (GROUPS, "ZRANGE", SHOWN, 0, -1, "WITHSCORES"),
        (GROUPS, "ZRANGE", HIDDEN, 0, -1, "WITHSCORES"),
        (GROUPS, "HGETALL", PEOPLE),
    )
    pictures = {a: np.frombuffer(b, "<i8").tolist() for a, b in zip(stored[::2], stored[1::2], strict=True)}
    if pictures != {picture: members.of_picture(picture) for picture in members.pictures()}:
        yield "the groups of pictures do not match the pictures of groups"
    persons = {p.id: person_document(p, follower.partition) for p in people.values()}
    told = {int(a): from_json(b) for a, b in zip(documents[::2], documents[1::2], strict=True)}
    if told != {number: from_json(to_json(document)) for number, document in persons.items()}:
        yield "the documents of people do not match the statements"
    sizes = {g: members.count(g) for g in members.groups() if g not in people}
    for found, wanted, name in (
        (shown, sizes | {n: d["count"] for n, d in persons.items() if not d["hidden"] and d["count"]}, SHOWN),
        (hidden, {n: d["count"] for n, d in persons.items() if d["hidden"] and d["count"]}, HIDDEN),
    ):
        if {int(a): int(b) for a, b in zip(found[::2], found[1::2], strict=True)} != wanted:
            yield f"the list {name} does not match the groups"
