"""The I/O thread: takes deliveries from RabbitMQ and acknowledges them. It never computes, so heartbeats live."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from faces.amqp import connect, translated
from faces.config import Settings
from faces.errors import BrokerError
from faces.topology import PICTURES_QUEUE, declare
from worker.patience import Patience

LOOK_UP = 0.5  # seconds between looks at whether to stop

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message in hand, not acknowledged. RabbitMQ gives it to another worker if this one goes away."""

    headers: Mapping[str, Any] | None
    body: bytes
    redelivered: bool
    acknowledge: Callable[[], None]
    valid: Callable[[], bool]


class Consumer:
    """Fills a queue with deliveries for the computing thread."""

    def __init__(
        self, settings: Settings, deliveries: queue.Queue[Delivery], stopping: threading.Event
    ) -> None:
        self._settings = settings
        self._deliveries = deliveries
        self._stopping = stopping

    def run(self, computing: threading.Thread, tick: Callable[[], None]) -> None:
        """Consume until the worker is to stop and the computing thread has ended; reconnect when cut off.

        Deliveries that are not begun by then go back to the queue. `tick` is called a few times a second.
        """
        patience = Patience(self._stopping, tick)
        while computing.is_alive():
            try:
                self._serve(patience.until_done(partial(connect, self._settings)), computing, tick)
            except BrokerError as error:
                log.warning("connection to RabbitMQ lost: %s", error)
                if self._stopping.is_set():
                    return

    def _serve(self, connection: Any, computing: threading.Thread, tick: Callable[[], None]) -> None:
        with translated():
            channel = connection.channel()
            declare(channel, self._settings)
            channel.basic_qos(prefetch_count=self._settings.prefetch)
            consumer = channel.basic_consume(PICTURES_QUEUE, partial(self._receive, connection))
            while computing.is_alive():
                tick()
                connection.process_data_events(LOOK_UP)
                if self._stopping.is_set() and consumer:
                    channel.basic_cancel(consumer)
                    consumer = None
            connection.process_data_events(0)  # the last acknowledgements
            connection.close()

    def _receive(self, connection: Any, channel: Any, method: Any, properties: Any, body: bytes) -> None:
        self._deliveries.put(
            Delivery(
                headers=properties.headers,
                body=body,
                redelivered=bool(method.redelivered),
                acknowledge=partial(_acknowledge, connection, channel, method.delivery_tag),
                valid=lambda: bool(channel.is_open),
            )
        )


def _acknowledge(connection: Any, channel: Any, tag: int) -> None:
    """Acknowledge from another thread; on a connection that was lost there is nothing left to acknowledge."""

    def send() -> None:
        if channel.is_open:
            channel.basic_ack(tag)

    try:
        with translated():
            connection.add_callback_threadsafe(send)
    except BrokerError:
        log.info("a picture was done on a connection that was lost; it comes again and is known then")
