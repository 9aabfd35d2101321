"""A message as RabbitMQ delivers it, and the picture message read from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from faces.messaging.message import Message


@dataclass(frozen=True, slots=True)
class Delivery:
    """An unacknowledged message. RabbitMQ gives it to another worker if this one goes away.

    `valid()` is false once its connection is lost: it can no longer be acknowledged, and comes again.
    """

    headers: Mapping[str, Any] | None
    body: bytes
    redelivered: bool
    acknowledge: Callable[[], None]
    valid: Callable[[], bool]


WAKE = Delivery(None, b"", redelivered=False, acknowledge=lambda: None, valid=lambda: True)
"""Put among the deliveries to say that a search is waiting."""


@dataclass(frozen=True, slots=True)
class PendingMessage:
    """A delivery and the message decoded from it."""

    delivery: Delivery
    message: Message

    @property
    def picture_id(self) -> str:
        """Hash of the picture."""
        return self.message.picture_id
