"""The list of all pictures, newest first, and what is known of each.

The list is a sorted set beside the status documents, written in the same transactions. A page looks at a bounded
number of pictures: with a rare filter it may be short, or empty, and still have a position to go on from.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from faces.store.client import Command, RedisClient
from faces.store.keys import HASHES, HOME, MATCHES, PICTURES, pending_key, status_key
from faces.store.pictures import queries
from faces.store.pictures.status import Status

LOOKED_AT = 2000  # pictures a page looks at: about 30 ms
PIECE = 250  # pictures read in one round trip at most


class Position(NamedTuple):
    """A picture's position in the list: when it was accepted, in Unix seconds, and its digest."""

    accepted: float
    digest: bytes


@dataclass(frozen=True, slots=True)
class PictureRecord:
    """What is known of a picture; `matches` counts the other pictures with a matching face."""

    status: Status
    names: list[str]
    matches: int


@dataclass(frozen=True, slots=True)
class Page:
    """Part of the list, and after which position to go on; None at its end."""

    pictures: list[PictureRecord] = field(default_factory=list)
    following: Position | None = None


def added(*statuses: Status) -> Command:
    """Command that lists pictures, for the transaction that accepts them."""
    places = (word for status in statuses for word in (repr(status.accepted), bytes.fromhex(status.hash)))
    return (HOME, "ZADD", PICTURES, *places)


def removed(picture_id: str) -> Command:
    """Command that takes a picture out of the list."""
    return (HOME, "ZREM", PICTURES, bytes.fromhex(picture_id))


def records(redis: RedisClient, picture_ids: Sequence[str]) -> list[PictureRecord | None]:
    """What is known of pictures; None for one that is unknown.

    Raises:
        StoreError: Redis is unavailable.
    """
    if not picture_ids:
        return []
    replies = redis.ask(
        (HOME, "MGET", *map(status_key, picture_ids)),
        *((HOME, "HVALS", pending_key(picture_id)) for picture_id in picture_ids),
        *((HASHES, "SMEMBERS", picture_id) for picture_id in picture_ids),
        *((MATCHES, "SCARD", picture_id) for picture_id in picture_ids),
    )
    count = len(picture_ids)
    documents, waiting = replies[0], replies[1 : count + 1]
    settled, matches = replies[count + 1 : 2 * count + 1], replies[2 * count + 1 :]
    return [
        None if status is None else PictureRecord(status, _names(status, *names), edges)
        for status, names, edges in zip(
            map(Status.from_json, documents), zip(waiting, settled, strict=True), matches, strict=True
        )
    ]


def page(
    redis: RedisClient,
    wanted: Callable[[PictureRecord], bool],
    *,
    limit: int,
    after: Position | None = None,
    since: float | None = None,
    among: Collection[str] | None = None,
) -> Page:
    """Pictures for which `wanted` holds, newest first.

    Args:
        redis: the connection to Redis.
        wanted: says whether a picture belongs on the page.
        limit: most pictures of a page.
        after: the position that the page before ended with.
        since: Unix seconds; pictures accepted earlier are left out.
        among: hashes; other pictures are left out.

    Raises:
        StoreError: Redis is unavailable.
    """
    found: list[PictureRecord] = []
    looked_at, size = 0, min(limit, PIECE)
    chosen = None if among is None else _chosen(redis, among, since)
    while looked_at < LOOKED_AT:
        piece = _piece(redis, after, since, size) if chosen is None else _following(chosen, after, size)
        for position, record in zip(piece, records(redis, [p.digest.hex() for p in piece]), strict=True):
            after = position
            if record is not None and wanted(record):
                found.append(record)
                if len(found) == limit:
                    return Page(found, after)
        if not piece:
            return Page(found)
        looked_at += len(piece)
        size = min(2 * size, PIECE)  # a filter may leave out most
    return Page(found, after)


def accepted_between(redis: RedisClient, since: float | None, until: float | None) -> Iterator[list[str]]:
    """Hashes of the pictures accepted in a time, both ends included, in pieces."""
    after = None if until is None else Position(until, b"\xff" * 33)
    while piece := _piece(redis, after, since):
        after = piece[-1]
        yield [position.digest.hex() for position in piece]


def complete(redis: RedisClient) -> None:
    """List the pictures that an earlier release accepted. Costs a question where nothing is missing.

    Raises:
        StoreError: Redis is unavailable.
    """
    counts = queries.counts(redis)
    (listed,) = redis.ask((HOME, "ZCARD", PICTURES))
    if listed >= counts.accepted - counts.erased:
        return
    prefix = len(status_key(""))
    cursor = b"0"
    while True:
        ((cursor, keys),) = redis.ask((HOME, "SCAN", cursor, "MATCH", status_key("*"), "COUNT", PIECE))
        statuses = queries.statuses(redis, [key[prefix:].decode() for key in keys])
        pairs = [word for s in statuses if s for word in (repr(s.accepted), bytes.fromhex(s.hash))]
        if pairs:
            redis.ask((HOME, "ZADD", PICTURES, "NX", *pairs))
        if cursor == b"0":
            return


def _piece(
    redis: RedisClient, after: Position | None, since: float | None, size: int = PIECE
) -> list[Position]:
    """The next pictures of the list; ties in time are ordered by digest, as Redis does."""
    newest = "+inf" if after is None else repr(after.accepted)
    oldest = "-inf" if since is None else repr(since)
    skip = 0
    while True:
        (flat,) = redis.ask(
            (HOME, "ZREVRANGEBYSCORE", PICTURES, newest, oldest, "WITHSCORES", "LIMIT", skip, size)
        )
        found = [Position(float(s), d) for d, s in zip(flat[::2], flat[1::2], strict=True)]
        fresh = [position for position in found if after is None or position < after]
        if fresh or len(found) < size:
            return fresh
        skip += size


def _chosen(redis: RedisClient, hashes: Collection[str], since: float | None) -> list[Position]:
    """Some pictures of the list, in its order."""
    if not hashes:
        return []
    digests = [bytes.fromhex(picture_id) for picture_id in hashes]
    (times,) = redis.ask((HOME, "ZMSCORE", PICTURES, *digests))
    listed = [Position(float(time), digest) for time, digest in zip(times, digests, strict=True) if time]
    return sorted((p for p in listed if since is None or p.accepted >= since), reverse=True)


def _following(chosen: Sequence[Position], after: Position | None, size: int) -> list[Position]:
    """The next of these pictures."""
    start = 0 if after is None else sum(position >= after for position in chosen)
    return list(chosen[start : start + size])


def _names(status: Status, waiting: Sequence[bytes], settled: Sequence[bytes]) -> list[str]:
    return sorted({*status.names, *(name.decode(errors="replace") for name in (*waiting, *settled))})
