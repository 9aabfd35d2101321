"""Checks that the saved groups are complete and consistent, and comply with every statement and the rule."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from faces.documents import from_json, to_json
from faces.errors import StoreError
from faces.store.client import RedisClient
from faces.store.collection import inspection
from faces.store.keys import ENCODINGS, GROUP_PICTURES, GROUPS, HIDDEN, PEOPLE, SHOWN
from faces.store.people.group_record import Face
from groups.clustering.rule import Rule
from groups.clustering.summary import Summary
from groups.follower import Follower
from groups.saved.documents import person_document
from groups.saved.reached import read_reached
from groups.saved.reading import BATCH

TRIES = 5
CLOSE = 1e-4  # float32 centroids stay within this after thousands of merges


def faults(redis: RedisClient, rule: Rule | None = None) -> list[str]:
    """Check the saved groups; returns a sentence for each fault.

    Pictures committed or erased after the saved journal position are ignored.

    Raises:
        StoreError: Redis is unavailable, or its data changes too quickly for a consistent view.
    """
    for _ in range(TRIES):
        before = read_reached(redis)
        try:
            found = list(_faults(redis, rule or Rule()))
        except StoreError:
            found = []
            if read_reached(redis) == before:
                raise
        if read_reached(redis) == before:
            return found
    raise StoreError("the groups kept changing during the check: try again when fewer pictures arrive")


def _faults(redis: RedisClient, rule: Rule) -> Iterator[str]:
    follower = Follower(redis, rule)
    follower.load()
    yield from _membership(redis, follower)
    yield from _numbers(redis, follower)
    yield from _lists(redis, follower)
    yield from _statements(follower)
    for group in sorted(follower.partition.members.groups()):
        mate = follower.grouping.mate(group)
        if mate is not None:
            yield f"groups {group} and {mate} are within their limit but not merged"


def _membership(redis: RedisClient, follower: Follower) -> Iterator[str]:
    """Exactly the faces committed up to the saved position are in groups."""
    lines = inspection.journal_lines(redis)
    reached = lines[: follower.reached.place.position]
    since = {line[1:] for line in lines[len(reached) :]}
    last = {line[1:]: line[:1] for line in reached}
    alive = sorted(digest for digest, sign in last.items() if sign == b"+" and digest not in since)
    for start in range(0, len(alive), BATCH):
        piece = alive[start : start + BATCH]
        counts = redis.ask(*((ENCODINGS, "LLEN", digest.hex()) for digest in piece))
        for digest, count in zip(piece, counts, strict=True):
            grouped = len(follower.partition.members.of_picture(digest))
            if grouped != count:
                yield f"picture {digest.hex()} has {count} faces, of which {grouped} are in groups"
    for digest in sorted(set(follower.partition.members.pictures()) - set(alive) - since):
        yield f"picture {digest.hex()} was erased but is in groups"


def _numbers(redis: RedisClient, follower: Follower) -> Iterator[str]:
    """Each summary matches the faces of its group."""
    partition = follower.partition
    for group in sorted(partition.members.groups()):
        faces = partition.members.of_group(group)
        if group not in partition.table:
            yield f"group {group} has faces but no record"
            continue
        encodings = _encodings(redis, faces)
        if len(encodings) != len(faces):
            continue  # erased since
        evidence = sum(map(partition.members.evidence, faces))
        if not _close(partition.table[group], Summary.of(encodings, evidence)):
            yield f"the summary of group {group} does not match its {len(faces)} faces"
    for group in sorted(set(partition.table.numbers()) - set(partition.members.groups())):
        yield f"group {group} has no faces"


def _encodings(
    redis: RedisClient, faces: Sequence[Face]
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    found = redis.ask(*((ENCODINGS, "LINDEX", face.picture.hex(), face.place) for face in faces))
    joined = b"".join(encoding for encoding in found if encoding is not None)
    return np.frombuffer(joined, "<f4").reshape(-1, 128)


def _close(one: Summary, other: Summary) -> bool:
    return (
        one.count == other.count
        and abs(one.evidence - other.evidence) < CLOSE * one.count
        and abs(one.spread - other.spread) < CLOSE
        and bool(np.abs(one.centroid - other.centroid).max() < CLOSE)
    )


def _lists(redis: RedisClient, follower: Follower) -> Iterator[str]:
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


def _statements(follower: Follower) -> Iterator[str]:
    """Groups comply with every active statement."""
    constraints, members = follower.grouping.constraints, follower.partition.members
    for statement in follower.statement_log.standing():
        where = {members.group(face) for face in statement.faces}
        theirs = set(constraints.people[statement.groups[0]].groups) if statement.confirms else set()
        one, other = statement.groups[0], statement.groups[-1]
        fulfilled = {
            "same": constraints.together(one, other),
            "different": constraints.apart(one, other) and not constraints.together(one, other),
            "not": not where & theirs,
            "assign": where <= theirs,
            "split": not where & theirs,
        }
        if not fulfilled.get(statement.kind, True):
            yield f"the groups violate statement {statement.number} ({statement.kind})"
