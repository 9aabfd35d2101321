"""The event stream: what becomes of pictures and people, for whoever follows it.

An event is written in the transaction that it tells of, so it exists exactly if that took place. The stream holds
hashes and figures, never names: those are read when the event is, so that erasing a picture leaves none behind.
About the last `KEPT` events are kept; a reader that falls further behind is told so (`resume`).

| kind | written when | fields besides `hash` |
|------|--------------|------------------------|
| `accepted` | a picture was accepted | |
| `done` | a picture with faces was committed | `faces`, `matches`: how many |
| `no_face` | a picture without faces was committed | |
| `failed` | a picture failed for good, or could not be queued (`not_queued`) | `code`, `reason` |
| `match` | a new picture matches one that a watch asks for (`faces.store.events.watches`) | `matching`, `watches` |
| `match` | a new picture shows a person that a watch asks for | `person`, `watches` |
| `erased` | a picture was erased | |
| `person_changed` | people said something about a person | `person`, `change`; no `hash` |
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from faces.store.client import Command, RedisClient
from faces.store.keys import EVENTS, HOME

Kind = Literal["accepted", "done", "no_face", "failed", "match", "erased", "person_changed"]
KINDS: tuple[str, ...] = get_args(Kind)
FINAL = frozenset({"done", "no_face", "failed", "erased"})
"""What ends a picture's time in flight."""

KEPT = 100_000  # events, about 20 MB
BEGINNING = "0-0"
LARGEST = (1 << 64) - 1  # of either half of an id
_ID = re.compile(r"[0-9]{1,20}-[0-9]{1,20}", re.ASCII)
MATCHING_TOLD = 20  # hashes in a `match` event


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One event. `id` orders events and is what a reader resumes after: Redis's time in ms, and a number."""

    id: str
    kind: str
    hash: str = ""
    faces: int | None = None
    matches: int | None = None
    matching: tuple[str, ...] = ()
    watches: tuple[str, ...] = ()
    code: str | None = None
    reason: str | None = None
    person: str | None = None
    change: str | None = None

    @property
    def time(self) -> float:
        """When it took place by Redis's clock, in Unix seconds."""
        return int(self.id.partition("-")[0]) / 1000


def note(kind: Kind, picture_id: str, *fields: str | int) -> Command:
    """Command that writes an event, for the transaction that it tells of; `fields` alternate names and values."""
    return (HOME, "XADD", EVENTS, "MAXLEN", "~", KEPT, "*", "kind", kind, "hash", picture_id, *fields)


def finished(picture_id: str, faces: int, matches: int) -> Command:
    """Command that tells of a committed picture: how many faces it shows, and how many pictures match it."""
    if not faces:
        return note("no_face", picture_id)
    return note("done", picture_id, "faces", faces, "matches", matches)


def matched(
    picture_id: str, matching: Sequence[str], watches: Sequence[str], person: str | None = None
) -> Command:
    """Command that tells of a picture that matches watched ones, or shows a watched person; `watches` are ids."""
    told = " ".join(matching[:MATCHING_TOLD])
    who = () if person is None else ("person", person)
    return note("match", picture_id, "matching", told, "watches", " ".join(watches), *who)


def person_changed(person: str, change: str) -> Command:
    """Command that tells of a person about whom something was said; `change` is the kind of statement."""
    return note("person_changed", "", "person", person, "change", change)


def read(redis: RedisClient, after: str, most: int = 500, wait: float = 0.0) -> list[Event]:
    """Read events after an id, oldest first; wait up to `wait` seconds (below 30) for the first one.

    Raises:
        StoreError: Redis is unavailable.
    """
    block = ("BLOCK", max(1, int(wait * 1000))) if wait else ()
    (reply,) = redis.ask((HOME, "XREAD", "COUNT", most, *block, "STREAMS", EVENTS, after))
    return [_event(number, flat) for _, entries in reply or () for number, flat in entries]


def latest(redis: RedisClient) -> str:
    """The id of the last event; `BEGINNING` if there is none."""
    (found,) = redis.ask((HOME, "XREVRANGE", EVENTS, "+", "-", "COUNT", 1))
    return str(found[0][0].decode()) if found else BEGINNING


def resume(redis: RedisClient, after: str) -> tuple[str, bool]:
    """Find where to read on after an id that may be old.

    Returns:
        The id after which to read, and whether events between the two are lost: trimmed, or gone with Redis's data.

    Raises:
        ValueError: it is not the id of an event.
    """
    if order(after) == order(BEGINNING):
        return BEGINNING, False
    itself, first, last = redis.ask(
        (HOME, "XRANGE", EVENTS, after, after),
        (HOME, "XRANGE", EVENTS, "-", "+", "COUNT", 1),
        (HOME, "XREVRANGE", EVENTS, "+", "-", "COUNT", 1),
    )
    if itself:
        return after, False
    if not first:
        return BEGINNING, True
    oldest, newest = first[0][0].decode(), last[0][0].decode()
    if order(after) < order(oldest):
        return _before(oldest), True
    return (newest, True) if order(after) > order(newest) else (after, False)


def order(number: str) -> tuple[int, int]:
    """An event's id as two numbers that compare as events follow each other.

    Raises:
        ValueError: it is not the id of an event.
    """
    time, _, sequence = number.partition("-")
    if not _ID.fullmatch(number):
        raise ValueError(f"{number[:40]!r} is not the id of an event, such as 1790000000000-0")
    if max(int(time), int(sequence)) > LARGEST:
        raise ValueError(f"{number[:40]!r} is not the id of an event: too large")
    return int(time), int(sequence)


def _before(number: str) -> str:
    """The greatest id below one."""
    time, sequence = order(number)
    return f"{time}-{sequence - 1}" if sequence else f"{time - 1}-{LARGEST}"


def _event(number: bytes, flat: Sequence[bytes]) -> Event:
    return Event(id=number.decode(), **{"kind": "", **dict(_values(flat))})


def _values(flat: Sequence[bytes]) -> Iterator[tuple[str, Any]]:
    """Fields as an event has them; what is damaged, or was added by a later release, is left out."""
    for raw_name, raw in zip(flat[::2], flat[1::2], strict=True):
        name, value = raw_name.decode(errors="replace"), raw.decode(errors="replace")
        if name in {"faces", "matches"}:
            if value.isdecimal():
                yield name, int(value)
        elif name in {"matching", "watches"}:
            yield name, tuple(value.split())
        elif name in Event.__slots__ and name != "id":
            yield name, value
