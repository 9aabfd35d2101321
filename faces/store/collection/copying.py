"""How far the faces have been copied into the collection that workers share in Milvus, if there is one.

The collection is complete up to a position of the journal: it has every face committed before, except those erased
since. It may have more, so its candidates are looked up in db 3. A rebuild may replace the encodings there: each
one starts a new collection, and so does an empty Redis.
"""

from __future__ import annotations

import uuid
from typing import NamedTuple

from faces.store.client import RedisClient, Session
from faces.store.keys import HOME, INDEXED, INDEXING, META

NAMED = "faces_"  # how the names of collections begin
LEASE = 60  # seconds for one piece: past that, another worker may copy it a second time, which does no harm


class Indexed(NamedTuple):
    """The collection, and the position of the journal up to which it is complete."""

    collection: str
    position: int


def read(redis: RedisClient) -> Indexed:
    """Return how far the collection is; name a new one if there is none for the data in db 3."""
    while True:
        with redis.session() as session:
            rebuilt, now = _watch(session)
            if now is not None:
                return now
            name = f"{NAMED}{uuid.uuid4().hex}"
            fields = ("rebuilt", rebuilt, "collection", name, "position", 0)
            session.commit((HOME, "HSET", INDEXED, *fields))


def reached(redis: RedisClient, collection: str, position: int) -> bool:
    """Record that a collection is complete up to a position, and keep the lease; False if it is replaced."""
    while True:
        with redis.session() as session:
            _, now = _watch(session)
            if now is None or now.collection != collection:
                return False
            noted = (HOME, "HSET", INDEXED, "position", position)
            if session.commit(noted, (HOME, "EXPIRE", INDEXING, LEASE)) is not None:
                return True


def abandon(redis: RedisClient, collection: str) -> None:
    """Abandon a collection that does not match the journal, if it is the current one; `read` names the next."""
    with redis.session() as session:
        _, now = _watch(session)
        if now is not None and now.collection == collection:
            session.commit((HOME, "DEL", INDEXED))


def lease(redis: RedisClient) -> bool:
    """Take the lease to copy; False if another worker has it."""
    (given,) = redis.ask((HOME, "SET", INDEXING, 1, "NX", "EX", LEASE))
    return given is not None


def release(redis: RedisClient) -> None:
    """Give the lease back."""
    redis.ask((HOME, "DEL", INDEXING))


def _watch(session: Session) -> tuple[bytes, Indexed | None]:
    """Return the last rebuild, and the collection made since."""
    _, (rebuilt,), (made_after, collection, position) = session.ask(
        (HOME, "WATCH", META, INDEXED),
        (HOME, "HMGET", META, "rebuilt"),
        (HOME, "HMGET", INDEXED, "rebuilt", "collection", "position"),
    )
    rebuilt = rebuilt or b"never"
    return rebuilt, Indexed(collection.decode(), int(position)) if made_after == rebuilt else None
