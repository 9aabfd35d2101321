"""How full Redis is, what takes the memory, and what twice the collection would take.

Edges grow with the square of the collection: of N pictures of one person each has N - 1 matches, and among
strangers a constant share of all pairs is within the tolerance. So Redis needs a limit (`maxmemory`), and the last
tenth below it is kept for pictures that are already accepted. At the limit commits wait; search and erase work.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from faces.errors import StoreFullError
from faces.store.client import Command, RedisClient
from faces.store.keys import (
    API_KEYS,
    AUDIT_LOG,
    COUNTS,
    ENCODINGS,
    HASHES,
    HOME,
    INFLIGHT,
    JOURNAL,
    MARKS,
    MATCHES,
    NAMES,
    ORDER,
)

ACCEPT_UP_TO = 0.9  # of the limit
SAMPLE = 300  # keys looked at in each database; in all about 5 ms of Redis's time
SINGLE = (JOURNAL, MARKS, AUDIT_LOG, INFLIGHT, ORDER, COUNTS, API_KEYS)

READ_LIMIT: Command = (HOME, "INFO", "memory")


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes of Redis: used, its limit (0: none), and by part, estimated from a sample; and about how many edges."""

    used: int
    limit: int
    parts: dict[str, int]
    edges: int

    @property
    def doubled(self) -> int:
        """Bytes that twice as many pictures of the same kind would take: edges grow with the square."""
        matches = self.parts["matches"]
        return self.used + sum(self.parts.values()) + 2 * matches


def check_room(info: bytes) -> None:
    """Check that there is room for another picture, given the reply to `READ_LIMIT`.

    Raises:
        StoreFullError: there is not.
    """
    used, limit = _used_and_limit(info)
    if limit and used >= ACCEPT_UP_TO * limit:
        share = f"{used / limit:.0%} of its memory limit, {limit:,} bytes"
        raise StoreFullError(f"Redis is full, no new pictures are accepted: it uses {share}")


def survey(redis: RedisClient) -> Memory:
    """Look at what takes Redis's memory.

    Raises:
        StoreError: Redis is unavailable.
    """
    info, *single = redis.ask(READ_LIMIT, *((HOME, "MEMORY", "USAGE", key) for key in SINGLE))
    used, limit = _used_and_limit(info)
    matches, edges = _sampled(redis, MATCHES, count="SCARD")
    parts = {
        "matches": matches,
        "encodings": _sampled(redis, ENCODINGS)[0],
        "names": _sampled(redis, NAMES)[0] + _sampled(redis, HASHES)[0],
        "statuses": _sampled(redis, HOME)[0],
        "journal": sum(size or 0 for size in single),
    }
    return Memory(used, limit, parts, edges // 2)


def _used_and_limit(info: bytes) -> tuple[int, int]:
    """Return the bytes that count towards the limit, and the limit."""
    fields = dict(line.split(b":", 1) for line in info.splitlines() if b":" in line)
    buffers = int(fields.get(b"mem_not_counted_for_evict", 0))
    return int(fields[b"used_memory"]) - buffers, int(fields[b"maxmemory"])


def _sampled(redis: RedisClient, database: int, count: str = "TYPE") -> tuple[int, int]:
    """Estimate the bytes of a database's keys, the single ones excepted, and what `count` gives for all of them."""
    size, *found = redis.ask((database, "DBSIZE"), *[(database, "RANDOMKEY")] * SAMPLE)
    single = {key.encode() for key in SINGLE} if database == HOME else set()
    keys = _all(redis, database) if size <= SAMPLE else found
    keys = [key for key in keys if key is not None and key not in single]
    if not keys:
        return 0, 0
    replies: Sequence[Any] = redis.ask(
        *((database, "MEMORY", "USAGE", key) for key in keys), *((database, count, key) for key in keys)
    )
    weight = 1.0 if size <= SAMPLE else size / len(keys)
    total = sum(used or 0 for used in replies[: len(keys)])
    counted = sum(n for n in replies[len(keys) :] if isinstance(n, int))
    return int(total * weight), int(counted * weight)


def _all(redis: RedisClient, database: int) -> list[bytes]:
    (keys,) = redis.ask((database, "KEYS", "*"))
    return list(keys)
