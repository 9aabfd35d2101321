"""The valid API keys."""

from __future__ import annotations

from faces.api_key import Key
from faces.store.client import RedisClient
from faces.store.keys import API_KEYS, HOME


def add(redis: RedisClient, key: Key) -> None:
    """Add a key."""
    redis.write((HOME, "HSET", API_KEYS, key.id, key.to_json()))


def add_first(redis: RedisClient, key: Key) -> bool:
    """Add a key if there is none; of several servers that start at once, one succeeds."""
    with redis.session() as session:
        _, present = session.ask((HOME, "WATCH", API_KEYS), (HOME, "HLEN", API_KEYS))
        return not present and session.commit((HOME, "HSET", API_KEYS, key.id, key.to_json())) is not None


def find(redis: RedisClient, number: str) -> Key | None:
    """Return the key with an id; None if there is none."""
    (document,) = redis.ask((HOME, "HGET", API_KEYS, number))
    return None if document is None else Key.from_json(document)


def every(redis: RedisClient) -> list[Key]:
    """Return all keys, the oldest first."""
    (documents,) = redis.ask((HOME, "HVALS", API_KEYS))
    return sorted(map(Key.from_json, documents), key=lambda key: key.created)


def remove(redis: RedisClient, number: str) -> bool:
    """Revoke a key, at once and everywhere; False if there is none."""
    (removed,) = redis.write((HOME, "HDEL", API_KEYS, number))
    return bool(removed)
