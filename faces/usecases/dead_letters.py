"""Dead letters: messages that nobody could process, why, and a second chance for those that are ours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from faces.errors import MessageError, PictureError
from faces.messaging.message import decode
from faces.messaging.queue_scan import Found
from faces.store.client import RedisClient
from faces.usecases.publication import Publish
from faces.usecases.replay import replay_message

EVERY = "all"


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter as it is shown; hash and name are what it claims; `now` is what became of it."""

    hash: str
    name: str
    bytes: int
    reason: str
    now: str = ""


class Replayer:
    """Replays the letters of one picture, or of every picture; None: of none.

    `as_new`: also of pictures that were erased or never accepted.
    """

    REPLAYED, PROCESSED = DONE = ("replayed", "removed: its picture is done already")

    def __init__(
        self, redis: RedisClient, publish: Publish, wanted: str | None, *, as_new: bool = False
    ) -> None:
        self._redis = redis
        self._publish = publish
        self._wanted = wanted
        self._as_new = as_new

    def look(self, found: Found) -> Letter:
        """Replay a letter if it is wanted, and take it out of its queue; `now` says what became of it.

        Raises:
            Transient: Redis or RabbitMQ is unavailable; the letter stays.
        """
        headers = found.headers
        shown = Letter(_text(headers, "hash"), _text(headers, "name"), len(found.body), _reason(headers))
        if self._wanted not in {EVERY, shown.hash}:
            return shown
        try:
            message = replace(decode(headers, found.body), attempt=0)
            published = replay_message(self._redis, self._publish, message, as_new=self._as_new)
        except (MessageError, PictureError) as error:
            return replace(shown, now=f"cannot be replayed: {error}")
        found.remove()
        return replace(shown, now=self.REPLAYED if published else self.PROCESSED)


def _reason(headers: Mapping[str, Any]) -> str:
    """Return the worker's reason, or RabbitMQ's own: it gives up what was delivered too often."""
    return _text(headers, "reason") or f"RabbitMQ: {_text(headers, 'x-first-death-reason') or 'unknown'}"


def _text(headers: Mapping[str, Any], key: str) -> str:
    value = headers.get(key, "")
    return value if isinstance(value, str) else repr(value)[:80]
