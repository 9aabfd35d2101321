"""Questions to the databases."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from faces.store.client import RedisClient
from faces.store.keys import COUNTS, HASHES, HOME, INFLIGHT, MATCHES, NAMES, status_key
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


def matching_names(redis: RedisClient, picture_id: str) -> list[str]:
    """Give the names of the other pictures that show a matching face, sorted; none for an unknown picture."""
    (others,) = redis.ask((MATCHES, "SMEMBERS", picture_id))
    names = redis.ask(*((HASHES, "SMEMBERS", other) for other in others)) if others else []
    return sorted(name.decode() for some in names for name in some)


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
