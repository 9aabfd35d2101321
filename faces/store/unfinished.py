"""Pictures that were accepted and are neither done nor failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from faces.store import inspection, queries
from faces.store.client import RedisClient
from faces.store.keys import HOME, pending_key


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A picture, when it was accepted (Unix seconds), and the names that wait for it."""

    picture_id: str
    accepted: float
    names: tuple[str, ...]


def unfinished(redis: RedisClient) -> Iterator[Unfinished]:
    """Give every picture in flight; one that is finished meanwhile is left out."""
    seen: set[bytes] = set()
    for piece in inspection.in_flight(redis):
        new = [member for member in dict.fromkeys(piece) if member not in seen]
        seen.update(new)
        yield from _looked_up(redis, [member.decode() for member in new])


def _looked_up(redis: RedisClient, picture_ids: Sequence[str]) -> Iterator[Unfinished]:
    names = (
        redis.ask(*((HOME, "HVALS", pending_key(picture_id)) for picture_id in picture_ids))
        if picture_ids
        else []
    )
    for picture_id, status, waiting in zip(
        picture_ids, queries.statuses(redis, picture_ids), names, strict=True
    ):
        if status is not None and status.state == "pending":
            known = sorted(name.decode(errors="replace") for name in waiting)
            yield Unfinished(picture_id, status.accepted, tuple(known))
