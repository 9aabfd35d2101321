"""What the saved groups reflect, and how it is read and written."""

from __future__ import annotations

from typing import NamedTuple

from faces.store.client import Command, RedisClient
from faces.store.collection.journal import Mark, Place
from faces.store.keys import GROUP_STATE, GROUPS
from groups.clustering.partition import Partition

FIELDS = ("position", "line", "marks", "mark", "seen", "next", "clock", "last", "model")


class Reached(NamedTuple):
    """What the saved groups reflect.

    Attributes:
        place: position in the journal.
        model: the model of the encodings.
        last: number of the latest statement.
    """

    place: Place
    model: bytes
    last: int


def read_reached(redis: RedisClient) -> tuple[Reached, dict[str, int]]:
    """Read what the saved groups reflect, and the partition's counters."""
    (values,) = redis.ask((GROUPS, "HMGET", GROUP_STATE, *FIELDS))
    position, line, marks, mark, seen, following, clock, last, model = (value or b"" for value in values)
    place = Place(int(position or 0), line, Mark(int(marks or 0), mark))
    reached = Reached(place, model, int(last or 0))
    return reached, {"seen": int(seen or 0), "next_number": int(following or 1), "clock": int(clock or 0)}


def reached_command(reached: Reached, partition: Partition) -> Command:
    """The command that saves it, with the partition's counters."""
    values = (
        reached.place.position,
        reached.place.line,
        *reached.place.mark,
        partition.seen,
        partition.next_number,
        partition.clock,
        reached.last,
        reached.model,
    )
    pairs = zip(FIELDS, values, strict=True)
    return (GROUPS, "HSET", GROUP_STATE, *(word for pair in pairs for word in pair))
