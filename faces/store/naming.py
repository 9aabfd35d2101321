"""Which picture a name belongs to: the one it was last sent with, in whatever order pictures are done.

Each sending of a name has a number, given when it is accepted. A name moves only to a picture it was sent with
later than with the one it has. The number it was last set by is kept in `order` only while an older sending can
still come: entries below the oldest picture in flight are dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from faces.store.keys import HASHES, HOME, INFLIGHT, NAMES, ORDER
from faces.store.link import Command, Session


@dataclass(frozen=True, slots=True)
class Sending:
    """A name sent with a picture; the higher number was sent later."""

    number: int
    name: str
    picture: str


@dataclass(frozen=True, slots=True)
class Owner:
    """The picture that has a name now, and the number it was set by where that is still kept."""

    picture: str | None
    number: int | None


def settle(session: Session, sendings: Sequence[Sending]) -> list[Command]:
    """Watch the names sent, and give the commands that set each to the picture it was last sent with."""
    last = {s.name: s for s in sorted(sendings, key=lambda s: s.number)}
    owners = _watch_owners(session, list(last))
    commands = [c for s in last.values() for c in _move(s, owners[s.name])]
    return [*commands, *_forget_old_order(session)] if commands else []


def _watch_owners(session: Session, names: list[str]) -> dict[str, Owner]:
    if not names:
        return {}
    _, pictures, numbers = session.ask(
        (NAMES, "WATCH", *names), (NAMES, "MGET", *names), (HOME, "ZMSCORE", ORDER, *names)
    )
    return {
        name: Owner(picture.decode() if picture else None, int(float(number)) if number else None)
        for name, picture, number in zip(names, pictures, numbers, strict=True)
    }


def _move(sending: Sending, owner: Owner) -> list[Command]:
    if owner.number is not None and owner.number > sending.number:
        return []
    commands: list[Command] = [
        (HOME, "ZADD", ORDER, sending.number, sending.name),
        (NAMES, "SET", sending.name, sending.picture),
        (HASHES, "SADD", sending.picture, sending.name),
    ]
    if owner.picture not in {None, sending.picture}:
        commands.append((HASHES, "SREM", owner.picture, sending.name))
    return commands


def _forget_old_order(session: Session) -> list[Command]:
    (oldest,) = session.ask((HOME, "ZRANGE", INFLIGHT, 0, 0, "WITHSCORES"))
    bound = f"({oldest[1].decode()}" if oldest else "+inf"
    return [(HOME, "ZREMRANGEBYSCORE", ORDER, "-inf", bound)]
