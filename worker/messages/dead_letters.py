"""Dead letters: messages that no worker can use, kept with the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from faces.errors import FacefleetError, MessageError, NewerMessageError
from faces.messaging.event_log import EventLog
from faces.messaging.topology import DEAD, retry_queue
from faces.picture_id import is_picture_id
from worker.messages.delivery import Delivery
from worker.messages.outbox import Letter, Outbox
from worker.messages.retry import RetryAfter, decide
from worker.metrics import Metrics

MAX_HEADER_BYTES = 100_000  # of a dead letter; RabbitMQ's frame holds 131,072
MAX_INTEGER = 1 << 63  # integers in headers have 64 bits; floats are read as integers of any size


class DeadLetters:
    """Moves messages to the dead letter queue."""

    def __init__(
        self,
        outbox: Outbox,
        event_log: EventLog,
        metrics: Metrics,
        fail_picture: Callable[[str, str], object],
    ) -> None:
        self._outbox = outbox
        self._event_log = event_log
        self._metrics = metrics
        self._fail_picture = fail_picture

    def put_aside(self, delivery: Delivery, error: MessageError) -> None:
        """Retry a message that cannot be decoded if a newer worker may be able to, else bury it."""
        attempt = error.attempt if isinstance(error, NewerMessageError) else 0
        match decide(error, attempt):
            case RetryAfter(rung, wait):
                headers = {**printable(delivery.headers or {}), "attempt": attempt + 1}
                letter = Letter(
                    delivery, "", retry_queue(rung), headers, delivery.body, delivery.acknowledge, wait
                )
                self._outbox.put(letter)
            case _:
                self.bury(delivery, error)

    def bury(self, delivery: Delivery, error: FacefleetError) -> None:
        """Move a message to the dead letters, and fail its picture, which has no other.

        It is acknowledged once RabbitMQ has the copy.
        """
        headers = {**printable(delivery.headers or {}), "reason": str(error)}
        picture_id = headers.get("hash")
        if isinstance(picture_id, str) and is_picture_id(picture_id):
            self._fail_picture(picture_id, f"its message is a dead letter: {error}")

        def published() -> None:
            self._metrics.dead_letter()
            self._event_log.info("dead letter", **_claimed(headers), reason=str(error))
            delivery.acknowledge()

        self._outbox.put(Letter(delivery, DEAD, "", headers, delivery.body, published))


def printable(headers: Mapping[str, Any]) -> dict[str, object]:
    """Return the text and integer headers of an untrusted message that are small enough to publish again.

    A message of ours has no others. A stranger's may hold types that pika reads but cannot write, or fill a whole
    frame: publishing those would fail every time.
    """
    kept: dict[str, object] = {}
    size = 0
    for key, value in headers.items():
        size += len(f"{key}{value}".encode())
        plain = isinstance(value, str) or (isinstance(value, int) and abs(value) < MAX_INTEGER)
        if plain and size <= MAX_HEADER_BYTES:
            kept[key] = value
    return kept


def _claimed(headers: Mapping[str, object]) -> dict[str, str]:
    """What an unreadable message claims to be about."""
    named = {key: headers.get(key) for key in ("hash", "name", "request_id")}
    return {key: value[:200] for key, value in named.items() if isinstance(value, str)}
