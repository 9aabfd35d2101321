"""Pictures that were accepted and are neither done nor failed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from faces.store import audit, reading
from faces.store.keys import HOME, pending_key
from faces.store.link import Link


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A picture, when it was accepted (Unix seconds), and the names that wait for it."""

    picture: str
    accepted: float
    names: tuple[str, ...]


def unfinished(link: Link) -> Iterator[Unfinished]:
    """Give every picture in flight; one that is finished meanwhile is left out."""
    seen: set[bytes] = set()
    for piece in audit.in_flight(link):
        new = [member for member in dict.fromkeys(piece) if member not in seen]
        seen.update(new)
        yield from _looked_up(link, [member.decode() for member in new])


def _looked_up(link: Link, pictures: Sequence[str]) -> Iterator[Unfinished]:
    names = link.ask(*((HOME, "HVALS", pending_key(picture)) for picture in pictures)) if pictures else []
    for picture, status, waiting in zip(pictures, reading.statuses(link, pictures), names, strict=True):
        if status is not None and status.state == "pending":
            known = sorted(name.decode(errors="replace") for name in waiting)
            yield Unfinished(picture, status.accepted, tuple(known))
