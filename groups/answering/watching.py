"""Reports new pictures that show a watched person (`faces.store.events.watches`)."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from faces.store.client import Command, RedisClient
from faces.store.collection.journal import Entry
from faces.store.events import stream, watches
from faces.store.events.watches import Watch
from faces.store.pictures import queries
from groups.clustering.grouping import Grouping

NEWS = 3600.0  # seconds; what was finished earlier comes here again when all groups are made afresh


def sightings(redis: RedisClient, grouping: Grouping, entries: Sequence[Entry]) -> list[Command]:
    """Commands that report each watched person in the pictures of these entries, once they are grouped."""
    watched: dict[int, list[Watch]] = {}
    for watch in watches.every(redis) if entries else ():
        if watch.person:
            watched.setdefault(_who(grouping, int(watch.person)), []).append(watch)
    if not watched:
        return []
    shown = {entry.digest.hex(): _people_in(grouping, entry.digest) & watched.keys() for entry in entries}
    return [
        stream.matched(picture_id, (), [watch.id for watch in watched[person]], str(person))
        for picture_id in _recent(redis, [picture_id for picture_id, people in shown.items() if people])
        for person in sorted(shown[picture_id])
    ]


def _recent(redis: RedisClient, picture_ids: Sequence[str]) -> Iterator[str]:
    oldest = time.time() - NEWS
    for picture_id, status in zip(picture_ids, queries.statuses(redis, picture_ids), strict=True):
        if status is not None and (status.finished or 0.0) >= oldest:
            yield picture_id


def _people_in(grouping: Grouping, picture: bytes) -> set[int]:
    groups = grouping.members.of_picture(picture)
    return {_who(grouping, group) for group in groups if group in grouping.table}


def _who(grouping: Grouping, group: int) -> int:
    now = grouping.partition.current(group)
    person = grouping.constraints.people.get(now)
    return now if person is None else person.id
