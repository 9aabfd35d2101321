"""The I/O thread: takes deliveries from RabbitMQ and acknowledges them. It never computes, so heartbeats live."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import Any

from faces.amqp import connect, translated
from faces.config import Settings
from faces.errors import BrokerError
from faces.topology import PICTURES_QUEUE, declare
from worker.retrier import Retrier

LOOK_UP = 0.5  # seconds between looks at whether to stop
PAUSE = 0.2  # seconds before a connection that was lost is opened again
CAREFUL = 10.0  # seconds of one message at a time after that

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
    """Fills a queue with deliveries for the computing thread; `lost` is called when their connection is lost."""

    def __init__(
        self,
        settings: Settings,
        deliveries: queue.Queue[Delivery],
        stopping: threading.Event,
        lost: Callable[[], None] = lambda: None,
    ) -> None:
        self._settings = settings
        self._deliveries = deliveries
        self._stopping = stopping
        self._lost = lost
        self._careful_until = 0.0

    def run(self, computing: threading.Thread, tick: Callable[[], None]) -> None:
        """Consume until the worker is to stop and the computing thread has ended; reconnect when cut off.

        Deliveries that are not begun by then go back to the queue. `tick` is called a few times a second.
        """
        retrier = Retrier(self._stopping, tick)
        while computing.is_alive():
            try:
                self._serve(retrier.until_done(partial(connect, self._settings)), computing, tick)
            except BrokerError as error:
                log.warning("connection to RabbitMQ lost: %s", error)
            except Exception as error:  # noqa: BLE001 -- pika raises anything on the headers of a stranger
                log.warning("connection to RabbitMQ given up: a message cannot be read (%r)", error)
            if computing.is_alive():
                self._lost()
            self._careful_until = time.monotonic() + CAREFUL
            if self._stopping.wait(PAUSE):
                return

    def _serve(self, connection: Any, computing: threading.Thread, tick: Callable[[], None]) -> None:
        try:
            with translated():
                self._serve_on(connection, computing, tick)
        finally:
            with suppress(Exception):  # a connection that broke need not close well
                connection.close()  # what is not acknowledged goes back now, not after some missed heartbeats

    def _serve_on(self, connection: Any, computing: threading.Thread, tick: Callable[[], None]) -> None:
        channel = connection.channel()
        declare(channel, self._settings)
        acknowledgements = Acknowledgements(connection, channel)
        consuming = 0
        while computing.is_alive():
            tick()
            wanted = self._prefetch()
            if wanted != consuming:
                consuming = self._consume(channel, acknowledgements, wanted)
            connection.process_data_events(LOOK_UP)
        connection.process_data_events(0)  # the last acknowledgements

    def _prefetch(self) -> int:
        """How many messages to hold: none to stop, one for a while after a connection was lost.

        It may have been lost on a message that pika cannot read. That one goes back and comes again, until RabbitMQ
        makes a dead letter of it; held alone, it takes no others along.
        """
        if self._stopping.is_set():
            return 0
        return 1 if time.monotonic() < self._careful_until else 2 * self._settings.batch_size

    def _consume(self, channel: Any, acknowledgements: Acknowledgements, prefetch: int) -> int:
        """Consume with another prefetch count, which holds for new consumers only; 0: not at all."""
        for consumer in channel.consumer_tags:
            channel.basic_cancel(consumer)
        if prefetch:
            channel.basic_qos(prefetch_count=prefetch)
            channel.basic_consume(PICTURES_QUEUE, partial(self._receive, acknowledgements))
        return prefetch

    def _receive(
        self, acknowledgements: Acknowledgements, channel: Any, method: Any, properties: Any, body: bytes
    ) -> None:
        acknowledgements.hold(method.delivery_tag)
        self._deliveries.put(
            Delivery(
                headers=properties.headers,
                body=body,
                redelivered=bool(method.redelivered),
                acknowledge=partial(acknowledgements.add, method.delivery_tag),
                valid=lambda: bool(channel.is_open),
            )
        )


class Acknowledgements:
    """Acknowledges for the computing thread what came by one channel, all that waits at once.

    A batch is settled picture by picture, and to wake the I/O thread costs far more than an acknowledgement.
    """

    def __init__(self, connection: Any, channel: Any) -> None:
        self._connection, self._channel = connection, channel
        self._held: deque[int] = (
            deque()
        )  # delivery tags that are not acknowledged, in order; the I/O thread's
        self._waiting: set[int] = set()
        self._lock = threading.Lock()

    def hold(self, tag: int) -> None:
        """Know of a delivery; for the I/O thread."""
        self._held.append(tag)

    def add(self, tag: int) -> None:
        """Acknowledge soon; on a connection that was lost there is nothing left to acknowledge."""
        with self._lock:
            on_its_way = bool(self._waiting)
            self._waiting.add(tag)
        if on_its_way:
            return
        try:
            with translated():
                self._connection.add_callback_threadsafe(self._send)
        except BrokerError:
            log.info("a picture was done on a connection that was lost; it comes again and is known then")

    def _send(self) -> None:
        with self._lock:
            tags, self._waiting = self._waiting, set()
        if not self._channel.is_open:
            return
        first = list(takewhile(tags.__contains__, self._held))
        if first:
            self._channel.basic_ack(first[-1], multiple=True)
        for tag in tags.difference(first):
            self._channel.basic_ack(tag)
        self._held = deque(tag for tag in self._held if tag not in tags)
