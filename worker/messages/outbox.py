"""Retries and dead letters on their way back to RabbitMQ."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from faces.errors import Transient
from faces.process.retrier import Retrier
from worker.messages.delivery import Delivery

log = logging.getLogger(__name__)


class Publisher(Protocol):
    """Publishes confirmed messages: `faces.messaging.amqp.Publisher`."""

    def publish(
        self, exchange: str, key: str, headers: Mapping[str, Any], body: bytes, *, expires: float | None
    ) -> None:
        """Publish a message and wait until it is confirmed; `expires` is in seconds."""

    def close(self) -> None:
        """Close the connection."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message to publish in place of a delivery; `published` is called once RabbitMQ has confirmed it."""

    delivery: Delivery
    exchange: str
    key: str
    headers: Mapping[str, Any]
    body: bytes
    published: Callable[[], None]
    expires: float | None = None


class Outbox:
    """Publishes letters on a thread of its own.

    RabbitMQ accepts nothing while an alarm lasts. The computing thread must not wait for that: the backlog that
    caused the alarm shrinks only if other pictures are processed meanwhile.
    """

    def __init__(self, publisher: Publisher, retrier: Retrier) -> None:
        self._publisher = publisher
        self._retrier = retrier
        self._letters: queue.Queue[Letter | None] = queue.Queue()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)

    def __len__(self) -> int:
        """Number of letters waiting, about."""
        return self._letters.qsize()

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def put(self, letter: Letter) -> None:
        """Publish a letter soon."""
        self._letters.put(letter)

    def close(self) -> None:
        """Publish what is waiting, as long as RabbitMQ accepts it, and stop; the rest stays queued there."""
        self._letters.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            while (letter := self._letters.get()) is not None:
                self._send(letter)
        except Transient as error:
            log.warning("stopping; retries and dead letters remain in their queue: %s", error)
        self._publisher.close()

    def _send(self, letter: Letter) -> None:
        if not letter.delivery.valid():
            return  # its original comes again
        self._retrier.until_done(
            lambda: self._publisher.publish(
                letter.exchange, letter.key, letter.headers, letter.body, expires=letter.expires
            )
        )
        letter.published()
