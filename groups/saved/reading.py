"""Reads the saved groups, people and statements."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from faces.documents import from_json
from faces.store.client import RedisClient
from faces.store.keys import (
    GROUP_STATE,
    GROUPS,
    HOME,
    MERGED,
    PEOPLE,
    STATEMENTS,
    confirmed_key,
    group_faces_key,
    group_key,
)
from faces.store.people.group_record import Face, GroupRecord, unpack_faces
from groups.clustering.partition import Partition
from groups.clustering.summary import Summary
from groups.saved.documents import statement_from
from groups.statements.statement_log import StatementLog

BATCH = 2000  # keys read in one round trip


def read_statements(redis: RedisClient) -> StatementLog:
    """Read all statements."""
    (documents,) = redis.ask((HOME, "HVALS", STATEMENTS))
    read = [statement_from(from_json(document)) for document in documents]
    return StatementLog({statement.number: (statement, made) for statement, made in read})


def read_people(redis: RedisClient) -> dict[int, str]:
    """Read the documents of people, by id."""
    (found,) = redis.ask((GROUPS, "HGETALL", PEOPLE))
    return {int(a): b.decode() for a, b in zip(found[::2], found[1::2], strict=True)}


def read_groups(redis: RedisClient, partition: Partition) -> None:
    """Read all saved groups into an empty partition; takes a few seconds for 100,000."""
    homes: dict[bytes, dict[int, tuple[int, float]]] = {}
    for numbers in _group_numbers(redis):
        replies = redis.ask(
            *((GROUPS, "GET", group_key(number)) for number in numbers),
            *((GROUPS, "GET", group_faces_key(number)) for number in numbers),
        )
        for number, record, faces in zip(numbers, replies, replies[len(numbers) :], strict=False):
            _put(partition, number, GroupRecord.unpack(record))
            for face, worth in unpack_faces(faces or b""):
                homes.setdefault(face.picture, {})[face.place] = number, worth
    for picture, places in homes.items():
        rows = [places[place] for place in sorted(places)]
        partition.members.add(picture, [group for group, _ in rows], [worth for _, worth in rows])
    (merged,) = redis.ask((GROUPS, "HGETALL", MERGED))
    partition.successors = {int(a): int(b) for a, b in zip(merged[::2], merged[1::2], strict=True)}


def read_homes(redis: RedisClient) -> dict[Face, int]:
    """The confirmed groups of faces after a fresh start: those that they had at the latest statement."""
    (afresh,), statements = redis.ask((GROUPS, "HMGET", GROUP_STATE, "afresh"), (HOME, "HVALS", STATEMENTS))
    if not afresh:
        return {}
    confirmed = {group for text in statements for group in statement_from(from_json(text))[0].confirms}
    groups = sorted(confirmed)
    found = redis.ask(*((HOME, "GET", confirmed_key(group)) for group in groups)) if groups else []
    return {
        face: group
        for group, faces in zip(groups, found, strict=True)
        for face, _ in unpack_faces(faces or b"")
    }


def _put(partition: Partition, number: int, record: GroupRecord) -> None:
    centroid = np.frombuffer(record.centroid, "<f4").astype(np.float32)
    partition.table[number] = Summary(record.size, centroid, record.spread, record.evidence)
    if record.version:
        partition.versions[number] = record.version


def _group_numbers(redis: RedisClient) -> Iterator[list[int]]:
    cursor: Any = b"0"
    prefix = len(group_key(0)) - 1
    seen: set[int] = set()
    while True:
        ((cursor, keys),) = redis.ask((GROUPS, "SCAN", cursor, "MATCH", "group:*", "COUNT", BATCH))
        numbers = {int(key[prefix:]) for key in keys} - seen  # SCAN may return a key twice
        seen |= numbers
        if numbers:
            yield sorted(numbers)
        if cursor == b"0":
            return
