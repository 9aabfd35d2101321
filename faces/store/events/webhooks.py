"""Webhooks: where events are posted to, and up to which event each of them has been served.

A hook's registration and its progress are two documents, as two write them: people the first, and the server that
holds the lease on deliveries the second. Whoever changes a hook's progress by hand (replay) starts a new `round`,
which the deliverer notices, so neither undoes what the other wrote.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace

from faces.documents import fields_of, readable, to_json
from faces.store.client import RedisClient
from faces.store.events.stream import order
from faces.store.keys import EVENTS, HOME, WEBHOOK_LEASE, WEBHOOK_PROGRESS, WEBHOOKS


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A registered hook. `kinds`, `hash`, `prefix`, `person` select events; the secret signs what is posted."""

    id: str
    url: str
    secret: str = field(repr=False)
    kinds: tuple[str, ...] = ()
    hash: str = ""
    prefix: str = ""
    person: str = ""
    created: float = 0.0

    @classmethod
    def from_json(cls, document: bytes) -> Webhook:
        """Read a stored hook.

        Raises:
            ValueError, TypeError, KeyError: it is damaged.
        """
        values = fields_of(cls, document)
        return cls(**{**values, "kinds": tuple(values["kinds"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a hook has been served.

    Attributes:
        after: id of the last event that it took, or that it did not ask for.
        round: changes whenever somebody sets it back.
        failures: attempts at the next event that failed.
        failing_since: Unix seconds of the first of them; None while nothing fails.
        retry_at: Unix seconds of the next attempt.
        paused: it has failed for too long; nothing is posted until it is replayed.
        error: why the last attempt failed, for people.
    """

    after: str
    round: str = ""
    failures: int = 0
    failing_since: float | None = None
    retry_at: float = 0.0
    paused: bool = False
    error: str = ""

    @classmethod
    def from_json(cls, document: bytes) -> Progress:
        """Read stored progress.

        Raises:
            ValueError, TypeError: it is damaged.
        """
        return cls(**fields_of(cls, document))


def add(redis: RedisClient, hook: Webhook, after: str) -> Webhook:
    """Register a hook; it is served from the event after an id on."""
    hook = replace(hook, id=secrets.token_hex(8), created=time.time())
    redis.write(
        (HOME, "HSET", WEBHOOK_PROGRESS, hook.id, to_json(asdict(Progress(after=after)))),
        (HOME, "HSET", WEBHOOKS, hook.id, to_json(asdict(hook))),
    )
    return hook


def every(redis: RedisClient) -> list[Webhook]:
    """All hooks, the oldest first."""
    (documents,) = redis.ask((HOME, "HVALS", WEBHOOKS))
    return sorted(readable(Webhook.from_json, documents), key=lambda hook: hook.created)


def find(redis: RedisClient, number: str) -> Webhook | None:
    """A hook by id; None if there is none."""
    (document,) = redis.ask((HOME, "HGET", WEBHOOKS, number))
    return None if document is None else Webhook.from_json(document)


def progress(redis: RedisClient) -> Mapping[str, Progress]:
    """How far each hook has been served, by id; one that is damaged is left out until the hook is replayed."""
    (flat,) = redis.ask((HOME, "HGETALL", WEBHOOK_PROGRESS))
    documents = zip(flat[::2], flat[1::2], strict=True)
    return {number.decode(): found for number, d in documents for found in readable(Progress.from_json, [d])}


def waiting_since(redis: RedisClient) -> float | None:
    """When the oldest event took place that a hook has still to get, by Redis's clock, in Unix seconds.

    None where there is none; hooks that are paused wait for people.
    """
    behind = [hook.after for hook in progress(redis).values() if not hook.paused]
    if not behind:
        return None
    found = redis.ask(*((HOME, "XRANGE", EVENTS, f"({after}", "+", "COUNT", 1) for after in behind))
    times = [order(first[0][0].decode())[0] / 1000 for first in found if first]
    return min(times, default=None)


def remove(redis: RedisClient, number: str) -> bool:
    """Remove a hook; False if there is none with this id."""
    removed, _ = redis.write((HOME, "HDEL", WEBHOOKS, number), (HOME, "HDEL", WEBHOOK_PROGRESS, number))
    return bool(removed)


def replay(redis: RedisClient, number: str, after: str) -> None:
    """Serve a hook again from the event after an id on, paused or not."""
    again = Progress(after=after, round=secrets.token_hex(8))
    redis.write((HOME, "HSET", WEBHOOK_PROGRESS, number, to_json(asdict(again))))


def advance(redis: RedisClient, number: str, before: Progress, now: Progress) -> bool:
    """Note progress, unless the hook was removed or set back since `before` was read; False then."""
    while True:
        with redis.session() as session:
            _, document = session.ask(
                (HOME, "WATCH", WEBHOOK_PROGRESS), (HOME, "HGET", WEBHOOK_PROGRESS, number)
            )
            stored = next(readable(Progress.from_json, filter(None, [document])), None)
            if stored is None or stored.round != before.round:
                return False
            if session.commit((HOME, "HSET", WEBHOOK_PROGRESS, number, to_json(asdict(now)))) is not None:
                return True


def lease(redis: RedisClient, holder: str, seconds: int) -> bool:
    """Become, or stay, the one who posts to hooks, for some seconds; False while somebody else is."""
    taken, owner = redis.ask(
        (HOME, "SET", WEBHOOK_LEASE, holder, "NX", "EX", seconds), (HOME, "GET", WEBHOOK_LEASE)
    )
    if taken is None and owner == holder.encode():
        redis.ask((HOME, "EXPIRE", WEBHOOK_LEASE, seconds))
    return bool(owner == holder.encode())
