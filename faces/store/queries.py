"""Questions to the databases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from faces.distances import nearest, vectors
from faces.store.client import RedisClient
from faces.store.keys import COUNTS, ENCODINGS, HASHES, HOME, INFLIGHT, MATCHES, NAMES, status_key
from faces.store.status import Status


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
        StoreError: Redis is away.
    """
    while True:
        with redis.session() as session:
            _, others = session.ask((MATCHES, "WATCH", picture_id), (MATCHES, "SMEMBERS", picture_id))
            replies = session.commit(
                (ENCODINGS, "LRANGE", picture_id, 0, -1),
                *((ENCODINGS, "LRANGE", other, 0, -1) for other in others),
                *((HASHES, "SMEMBERS", other) for other in others),
            )
        if replies is not None:
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
        StoreError: Redis is away.
    """
    named = ((match.distance, name) for match in matches(redis, picture_id) for name in match.names)
    return [name for _, name in sorted(named)]


def picture_named(redis: RedisClient, name: str) -> str | None:
    """Give the hash of the picture that has this name; None if there is none."""
    (picture_id,) = redis.ask((NAMES, "GET", name))
    return picture_id.decode() if picture_id else None


def statuses(redis: RedisClient, picture_ids: Sequence[str]) -> list[Status | None]:
    """Give the status documents of pictures, None where there is none."""
    if not picture_ids:
        return []
    (documents,) = redis.ask((HOME, "MGET", *(status_key(p) for p in picture_ids)))
    return [Status.from_json(document) for document in documents]


def counts(redis: RedisClient) -> Counts:
    """Give the counts of one instant."""
    with redis.session() as session:
        replies = session.commit(
            (HOME, "HMGET", COUNTS, "accepted", "done", "failed", "erased"), (HOME, "ZCARD", INFLIGHT)
        )
    totals, in_flight = replies or ([0] * 4, 0)
    accepted, done, failed, erased = (int(total or 0) for total in totals)
    return Counts(accepted, done, failed, erased, in_flight)


def oldest_in_flight(redis: RedisClient) -> float | None:
    """Give when the picture that has been in flight for longest was accepted, in Unix seconds; None: none is."""
    (oldest,) = redis.ask((HOME, "ZRANGE", INFLIGHT, 0, 0))
    found = statuses(redis, [picture_id.decode() for picture_id in oldest])
    return next((status.accepted for status in found if status), None)
