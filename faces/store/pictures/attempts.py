"""How often a picture was restarted after a worker died with it; deleted when it is done or failed."""

from __future__ import annotations

from faces.store.client import RedisClient
from faces.store.keys import ATTEMPTS, HOME, status_key
from faces.store.pictures.status import Status


def begin(redis: RedisClient, picture_id: str) -> int:
    """Count a restart of a picture before it begins, and return the count.

    Raises:
        StoreError: Redis is unavailable.
    """
    (count,) = redis.ask((HOME, "HINCRBY", ATTEMPTS, picture_id, 1))
    return int(count)


def excuse(redis: RedisClient, picture_id: str) -> None:
    """Take one restart off an unfinished picture: it was redelivered, although its worker is well.

    Raises:
        StoreError: Redis is unavailable.
    """
    with redis.session() as session:
        _, document = session.ask(
            (HOME, "WATCH", status_key(picture_id)), (HOME, "GET", status_key(picture_id))
        )
        status = Status.from_json(document)
        if status is not None and status.state == "pending":
            session.commit((HOME, "HINCRBY", ATTEMPTS, picture_id, -1))


def forget(redis: RedisClient, picture_id: str) -> None:
    """Delete the count of a picture that turns out to be finished, or gone.

    Raises:
        StoreError: Redis is unavailable.
    """
    redis.ask((HOME, "HDEL", ATTEMPTS, picture_id))
