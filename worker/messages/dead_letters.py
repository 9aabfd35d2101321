"""Dead letters: messages that no worker can use, kept with the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from faces.errors import FacefleetError, MessageError, NewerMessageError
from faces.messaging.event_log import EventLog
from faces.messaging.topology import DEAD, retry_queue
from faces.picture_id import is_picture_id
from faces.store.pictures.outcome import Outcome
from worker.messages.delivery import Delivery
from worker.messages.outbox import Letter, Outbox
from worker.messages.retry import RetryAfter, decide
from worker.metrics import Metrics

MAX_HEADER_BYTES = 100_000  # of a dead letter; RabbitMQ's frame holds 131,072
MAX_INTEGER = 1 << 63  # integers in headers have 64 bits; floats are read as integers of any size


class DeadLetters:
    """Moves messages to the dead letter queue, unless the picture that they name was erased."""

    def __init__(
        self,
        outbox: Outbox,
        event_log: EventLog,
        metrics: Metrics,
        fail_picture: Callable[[str, str], Outcome],
        is_gone: Callable[[str], bool],
    ) -> None:
        self._outbox = outbox
        self._event_log = event_log
        self._metrics = metrics
        self._fail_picture = fail_picture
        self._is_gone = is_gone

    def put_aside(self, delivery: Delivery, error: MessageError) -> None:
        """Retry a message that cannot be decoded if a newer worker may be able to, else bury it."""
        attempt = error.attempt if isinstance(error, NewerMessageError) else 0
        match decide(error, attempt):
            case RetryAfter() as after:
                self._retry(delivery, error, attempt, after)
            case _:
                self.bury(delivery, error)

    def bury(self, delivery: Delivery, error: FacefleetError) -> None:
        """Move a message to the dead letters, and fail its picture, which has no other.

        It is acknowledged once RabbitMQ has the copy. One of a picture that is not known any more is dropped: it
        would keep the bytes of what was erased.
        """
        headers = {**printable(delivery.headers or {}), "reason": str(error)}
        picture_id = _picture_id(delivery)
        why = f"its message is a dead letter: {error}"
        if picture_id is not None and self._fail_picture(picture_id, why) is Outcome.GONE:
            self._drop(delivery, error)
            return

        def published() -> None:
            self._metrics.dead_letter()
            self._event_log.info("dead letter", **_claimed(headers), reason=str(error))
            delivery.acknowledge()

        self._outbox.put(Letter(delivery, DEAD, "", headers, delivery.body, published))

    def _retry(self, delivery: Delivery, error: MessageError, attempt: int, after: RetryAfter) -> None:
        picture_id = _picture_id(delivery)
        if picture_id is not None and self._is_gone(picture_id):
            self._drop(delivery, error)
            return
        headers = {**printable(delivery.headers or {}), "attempt": attempt + 1}
        key = retry_queue(after.rung)
        self._outbox.put(Letter(delivery, "", key, headers, delivery.body, delivery.acknowledge, after.wait))

    def _drop(self, delivery: Delivery, error: FacefleetError) -> None:
        """Acknowledge a message of a picture without a record: it was erased, or never accepted.

        The log tells, as nothing else remains of it.
        """
        reason = f"its picture was erased or never accepted: {error}"
        self._event_log.info("dropped", **_claimed(printable(delivery.headers or {})), reason=reason)
        delivery.acknowledge()


def _picture_id(delivery: Delivery) -> str | None:
    """The picture that a message names, whether it can be read or not."""
    claimed = (delivery.headers or {}).get("hash")
    return claimed if isinstance(claimed, str) and is_picture_id(claimed) else None


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
