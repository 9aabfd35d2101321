"""Which picture a name belongs to: the one it was last sent with, in whatever order pictures are done.

Each time a name is sent it gets a number, a claim. A name moves only to a picture that claims it with a higher
number than that of its present owner. The owner's number is kept in `order` only while an older claim can still
come: entries below the oldest picture in flight are dropped.

A negative number is the claim of a replayed message: it takes a name that nobody has, and never moves one.
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

    def beats(self, owner: Owner) -> bool:
        """Whether the name goes to this picture."""
        if self.number < 0:
            return owner.picture_id in {None, self.picture_id}
        return (owner.number or 0) <= self.number


@dataclass(frozen=True, slots=True)
class Owner:
    """The picture that has a name now, and the number it was set by where that is still kept."""

    picture_id: str | None
    number: int | None


def claims_of(picture_id: str, pending: Sequence[bytes]) -> list[NameClaim]:
    """Read a picture's claims from the reply to `HGETALL pending:<hash>`."""
    return [
        NameClaim(int(number), name.decode(), picture_id)
        for number, name in zip(pending[::2], pending[1::2], strict=True)
    ]


def resolve(session: Session, claims: Sequence[NameClaim], *, joining: Sequence[int] = ()) -> list[Command]:
    """Watch the claimed names, and return the commands that give each to the picture it was last sent with.

    Args:
        session: where the commands are to be run.
        claims: the claims.
        joining: numbers of the pictures that the same transaction puts in flight.
    """
    if not claims:
        return []
    last = {claim.name: claim for claim in sorted(claims, key=lambda claim: claim.number)}
    owners, oldest = _watch_owners(session, list(last))
    moving = [claim for claim in last.values() if claim.beats(owners[claim.name])]
    in_flight = [*joining, *([] if oldest is None else [oldest])]
    return [*_move(moving, owners), *_forget_older(min(in_flight, default=None))] if moving else []


def _watch_owners(session: Session, names: list[str]) -> tuple[dict[str, Owner], int | None]:
    """Return who has these names, and the number of the oldest picture in flight, or None if there is none."""
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
    for claim in claims:
        names[claim.picture_id].append(claim.name)
    before = [(claim, owners[claim.name].picture_id) for claim in claims]
    return [
        (HOME, "ZADD", ORDER, *(word for claim in claims for word in (claim.number, claim.name))),
        (NAMES, "MSET", *(word for claim in claims for word in (claim.name, claim.picture_id))),
        *((HASHES, "SADD", picture_id, *some) for picture_id, some in names.items()),
        *((HASHES, "SREM", old, c.name) for c, old in before if old not in {None, c.picture_id}),
    ]


def _forget_older(oldest: int | None) -> list[Command]:
    bound = "+inf" if oldest is None else f"({oldest}"
    return [(HOME, "ZREMRANGEBYSCORE", ORDER, "-inf", bound)]
