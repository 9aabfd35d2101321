"""Dead letters: messages that no worker can use, kept with the reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from faces.errors import FacefleetError
from faces.event_log import EventLog
from faces.topology import DEAD
from worker.delivery import Delivery
from worker.metrics import Metrics
from worker.outbox import Letter, Outbox

MAX_HEADER_BYTES = 100_000  # of a dead letter; RabbitMQ's frame holds 131,072
MAX_INTEGER = 1 << 63  # integers in headers have 64 bits; floats are read as integers of any size


class DeadLetters:
    """Moves messages to the dead letter queue."""

    def __init__(self, outbox: Outbox, event_log: EventLog, metrics: Metrics) -> None:
        self._outbox = outbox
        self._event_log = event_log
        self._metrics = metrics

    def bury(self, delivery: Delivery, error: FacefleetError) -> None:
        """Move a message to the dead letters; it is acknowledged once RabbitMQ has the copy."""
        headers = {**printable(delivery.headers or {}), "reason": str(error)}

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
