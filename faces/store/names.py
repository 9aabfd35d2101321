"""Which picture a name belongs to: the one it was last sent with, in whatever order pictures are done.

Each sending of a name has a number, given when it is accepted. A name moves only to a picture it was sent with
later than with the one it has. The number it was last set by is kept in `order` only while an older sending can
still come: entries below the oldest picture in flight are dropped.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from faces.store.client import Command, Session
from faces.store.keys import HASHES, HOME, INFLIGHT, NAMES, ORDER


@dataclass(frozen=True, slots=True)
class NameClaim:
    """A name sent with a picture; the higher number was sent later."""

    number: int
    name: str
    picture_id: str


@dataclass(frozen=True, slots=True)
class Owner:
    """The picture that has a name now, and the number it was set by where that is still kept."""

    picture_id: str | None
    number: int | None


def settle(session: Session, claims: Sequence[NameClaim]) -> list[Command]:
    """Watch the names sent, and give the commands that set each to the picture it was last sent with."""
    if not claims:
        return []
    last = {s.name: s for s in sorted(claims, key=lambda s: s.number)}
    owners, oldest = _watch_owners(session, list(last))
    moving = [s for s in last.values() if (owners[s.name].number or 0) <= s.number]
    return [*_move(moving, owners), *_forget_older(oldest)] if moving else []


def _watch_owners(session: Session, names: list[str]) -> tuple[dict[str, Owner], int | None]:
    """Who has these names, and the number of the oldest picture in flight; None if there is none."""
    _, picture_ids, numbers, oldest = session.ask(
        (NAMES, "WATCH", *names),
        (NAMES, "MGET", *names),
        (HOME, "ZMSCORE", ORDER, *names),
        (HOME, "ZRANGE", INFLIGHT, 0, 0, "WITHSCORES"),
    )
    owners = {
        name: Owner(picture_id.decode() if picture_id else None, int(float(number)) if number else None)
        for name, picture_id, number in zip(names, picture_ids, numbers, strict=True)
    }
    return owners, int(float(oldest[1])) if oldest else None


def _move(claims: Sequence[NameClaim], owners: dict[str, Owner]) -> list[Command]:
    names: defaultdict[str, list[str]] = defaultdict(list)
    for s in claims:
        names[s.picture_id].append(s.name)
    before = [(s, owners[s.name].picture_id) for s in claims]
    return [
        (HOME, "ZADD", ORDER, *(word for s in claims for word in (s.number, s.name))),
        (NAMES, "MSET", *(word for s in claims for word in (s.name, s.picture_id))),
        *((HASHES, "SADD", picture_id, *some) for picture_id, some in names.items()),
        *((HASHES, "SREM", old, s.name) for s, old in before if old not in {None, s.picture_id}),
    ]


def _forget_older(oldest: int | None) -> list[Command]:
    bound = "+inf" if oldest is None else f"({oldest}"
    return [(HOME, "ZREMRANGEBYSCORE", ORDER, "-inf", bound)]
