"""Sessions of the page: a random token in a browser's cookie stands for an API key.

Only the token's SHA-256 is kept, beside the key's id, so a copy of Redis opens nothing; a revoked key ends its
sessions, since each request looks the key up.
"""

from __future__ import annotations

import secrets

from faces.api_key import digest_of
from faces.store.client import RedisClient, run_when_full
from faces.store.keys import HOME, session_key

LASTS = 30 * 86_400  # seconds


def begin(redis: RedisClient, key_id: str) -> str:
    """Begin a session of a key, also when Redis is full, for whoever wants to erase; the token is kept nowhere.

    Raises:
        StoreError: Redis is unavailable.
    """
    token = secrets.token_urlsafe(32)
    redis.ask(run_when_full((HOME, "SET", session_key(digest_of(token)), key_id, "EX", LASTS)))
    return token


def key_id_of(redis: RedisClient, token: str) -> str | None:
    """The id of the key that a session stands for; None if there is no such session, or no longer.

    Raises:
        StoreError: Redis is unavailable.
    """
    (found,) = redis.ask((HOME, "GET", session_key(digest_of(token))))
    return None if found is None else str(found, "ascii")


def end(redis: RedisClient, token: str) -> None:
    """End a session.

    Raises:
        StoreError: Redis is unavailable.
    """
    redis.write((HOME, "DEL", session_key(digest_of(token))))
