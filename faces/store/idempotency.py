"""Requests that are done once however often they are sent, by the Idempotency-Key that their sender chose."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from faces.documents import fields_of, to_json
from faces.store.client import RedisClient
from faces.store.keys import HOME, idempotency_key

KEPT = 24 * 3600  # seconds for which an answer is kept
IN_PROGRESS = 300  # seconds after which a request that never ended is forgotten


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """What a request was answered; `status` is 0 while it is in progress. `request` is a digest of the request."""

    request: str
    status: int = 0
    body: str = ""


def begin(redis: RedisClient, caller: str, key: str, request: str) -> KeptAnswer | None:
    """Begin a request.

    Returns:
        None if it is the first with this key; else what the first one was answered.

    Raises:
        StoreError: Redis is unavailable.
    """
    kept_at = idempotency_key(caller, key)
    mark = to_json(asdict(KeptAnswer(request)))
    created, document = redis.ask(
        (HOME, "SET", kept_at, mark, "NX", "EX", IN_PROGRESS), (HOME, "GET", kept_at)
    )
    return None if created else KeptAnswer(**fields_of(KeptAnswer, document))


def end(redis: RedisClient, caller: str, key: str, answer: KeptAnswer) -> None:
    """Keep the answer to a request."""
    redis.ask((HOME, "SET", idempotency_key(caller, key), to_json(asdict(answer)), "EX", KEPT))


def forget(redis: RedisClient, caller: str, key: str) -> None:
    """Forget a request that failed, so that it may be sent again."""
    redis.ask((HOME, "DEL", idempotency_key(caller, key)))
