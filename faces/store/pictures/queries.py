"""Queries of names, statuses, counts and pictures in flight."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from faces.distances import nearest, vectors
from faces.store.client import RedisClient
from faces.store.collection import inspection
from faces.store.keys import (
    COUNTS,
    ENCODINGS,
    GROUP_STATE,
    GROUPS,
    HASHES,
    HOME,
    INFLIGHT,
    JOURNAL,
    MATCHES,
    NAMES,
    pending_key,
    status_key,
)
from faces.store.pictures.status import Status


@dataclass(frozen=True, slots=True)
class Counts:
    """How many pictures were accepted, and what became of them."""

    accepted: int
    done: int
    failed: int
    erased: int
    in_flight: int

    @property
    def unaccounted(self) -> int:
        """Accepted pictures that nothing accounts for: always zero."""
        return self.accepted - self.done - self.failed - self.erased - self.in_flight


@dataclass(frozen=True, slots=True)
class Match:
    """Another picture with a matching face, its names in order, and the distance of the nearest two faces."""

    picture_id: str
    names: list[str]
    distance: float


def matches(redis: RedisClient, picture_id: str) -> list[Match]:
    """Give all matches of a picture at one instant, the nearest first; none for an unknown picture.

    Raises:
        StoreError: Redis is unavailable.
    """
    while True:
        with redis.session() as session:
            (others,) = session.ask((MATCHES, "SMEMBERS", picture_id))
            if not others:
                return []
            now, *replies = session.snapshot(
                (MATCHES, "SMEMBERS", picture_id),
                (ENCODINGS, "LRANGE", picture_id, 0, -1),
                *((ENCODINGS, "LRANGE", other, 0, -1) for other in others),
                *((HASHES, "SMEMBERS", other) for other in others),
            )
        if set(now) == set(others):
            break
    ours, encodings, names = vectors(replies[0]), replies[1 : len(others) + 1], replies[len(others) + 1 :]
    found = [
        Match(other.decode(), sorted(name.decode() for name in some), nearest(ours, vectors(theirs)))
        for other, theirs, some in zip(others, encodings, names, strict=True)
    ]
    return sorted(found, key=lambda match: (match.distance, match.names, match.picture_id))


def matching_names(redis: RedisClient, picture_id: str) -> list[str]:
    """Give the names of the other pictures that show a matching face, the nearest first, ties by name.

    Raises:
        StoreError: Redis is unavailable.
    """
    named = ((match.distance, name) for match in matches(redis, picture_id) for name in match.names)
    return [name for _, name in sorted(named)]


def picture_named(redis: RedisClient, name: str) -> str | None:
    """Return the hash of the picture that has this name; None if there is none."""
    (picture_id,) = redis.ask((NAMES, "GET", name))
    return picture_id.decode() if picture_id else None


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A picture in flight, when it was accepted (Unix seconds), and the names that wait for it."""

    picture_id: str
    accepted: float
    names: tuple[str, ...]


def unfinished(redis: RedisClient) -> Iterator[Unfinished]:
    """Yield every picture in flight; one that is finished meanwhile is left out."""
    seen: set[bytes] = set()
    for piece in inspection.in_flight(redis):
        new = [member for member in dict.fromkeys(piece) if member not in seen]
        seen.update(new)
        yield from _looked_up(redis, [member.decode() for member in new])


def _looked_up(redis: RedisClient, picture_ids: Sequence[str]) -> Iterator[Unfinished]:
    if not picture_ids:
        return
    names = redis.ask(*((HOME, "HVALS", pending_key(picture_id)) for picture_id in picture_ids))
    for picture_id, status, waiting in zip(picture_ids, statuses(redis, picture_ids), names, strict=True):
        if status is not None and status.state in {"pending", "damaged"}:
            known = sorted(name.decode(errors="replace") for name in waiting)
            yield Unfinished(picture_id, status.accepted, tuple(known))


def still_in_flight(redis: RedisClient, picture_ids: Sequence[str]) -> list[str]:
    """Those of some pictures that are accepted and not finished."""
    (scores,) = redis.ask((HOME, "ZMSCORE", INFLIGHT, *picture_ids))
    return [picture_id for picture_id, score in zip(picture_ids, scores, strict=True) if score is not None]


def statuses(redis: RedisClient, picture_ids: Sequence[str]) -> list[Status | None]:
    """Return the status documents of pictures, None where there is none."""
    if not picture_ids:
        return []
    (documents,) = redis.ask((HOME, "MGET", *(status_key(p) for p in picture_ids)))
    return [Status.from_json(document) for document in documents]


def status_with_names(redis: RedisClient, picture_id: str) -> Status | None:
    """Return the status of a picture with the names it has, or waits for; None if it is not known."""
    with redis.session() as session:
        document, waiting, names = session.snapshot(
            (HOME, "GET", status_key(picture_id)),
            (HOME, "HVALS", pending_key(picture_id)),
            (HASHES, "SMEMBERS", picture_id),
        )
    status = Status.from_json(document)
    if status is None:
        return None
    found = {name.decode(errors="replace") for name in (*waiting, *names)} | set(status.names)
    return replace(status, names=sorted(found))


def counts(redis: RedisClient) -> Counts:
    """Return the counts of one instant."""
    with redis.session() as session:
        replies = session.snapshot(
            (HOME, "HMGET", COUNTS, "accepted", "done", "failed", "erased"), (HOME, "ZCARD", INFLIGHT)
        )
    totals, in_flight = replies
    accepted, done, failed, erased = (int(total or 0) for total in totals)
    return Counts(accepted, done, failed, erased, in_flight)


def groups_lag(redis: RedisClient) -> int:
    """Return how many journal entries the groups process has not taken in yet."""
    position, length = redis.ask((GROUPS, "HGET", GROUP_STATE, "position"), (HOME, "LLEN", JOURNAL))
    return max(0, int(length) - int(position or 0))


def oldest_in_flight(redis: RedisClient) -> float | None:
    """Return when the oldest picture in flight was accepted, in Unix seconds; None if there is none."""
    (oldest,) = redis.ask((HOME, "ZRANGE", INFLIGHT, 0, 0))
    found = statuses(redis, [picture_id.decode() for picture_id in oldest])
    return next((status.accepted for status in found if status), None)
