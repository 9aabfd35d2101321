"""The I/O thread: consumes deliveries and acknowledges them. It never computes, so heartbeats keep flowing."""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from faces.config import Settings
from faces.errors import BrokerError
from faces.messaging.amqp import connect, translated
from faces.messaging.topology import PICTURES_QUEUE, declare
from faces.process.retrier import Retrier
from worker.messages.acknowledgements import Acknowledgements
from worker.messages.delivery import Delivery
from worker.messages.search_consumer import SearchConsumer

POLL = 0.5  # seconds between looks at whether to stop
RECONNECT_PAUSE = 0.2  # seconds before a lost connection is opened again
CAREFUL = 10.0  # seconds of one message at a time after that
MAX_ELSEWHERE = 64  # deliveries in outbox and quarantine beyond which no others are consumed in their place

log = logging.getLogger(__name__)


class Consumer:
    """Fills a queue with deliveries for the computing thread.

    `lost` is called when a connection was lost, `consuming` when consuming begins or ends. `elsewhere`
    gives the number of deliveries that wait in the outbox or quarantine; others are consumed in their place.
    `searches` consumes searches beside the pictures.
    `reconnect_pause` is in seconds.
    """

    def __init__(
        self,
        settings: Settings,
        deliveries: queue.Queue[Delivery],
        stopping: threading.Event,
        *,
        lost: Callable[[], None] = lambda: None,
        consuming: Callable[[bool], None] = lambda _: None,
        elsewhere: Callable[[], int] = lambda: 0,
        searches: SearchConsumer | None = None,
        reconnect_pause: float = RECONNECT_PAUSE,
    ) -> None:
        self._settings = settings
        self._deliveries = deliveries
        self._stopping = stopping
        self._lost = lost
        self._consuming = consuming
        self._elsewhere = elsewhere
        self._searches = searches
        self._reconnect_pause = reconnect_pause
        self._careful_until = 0.0

    def run(self, computing: threading.Thread, tick: Callable[[], None]) -> None:
        """Consume until the worker is stopping and the computing thread has ended; reconnect when cut off.

        Deliveries not yet begun by then return to the queue. `tick` is called a few times a second.
        """
        retrier = Retrier(self._stopping, tick)
        while computing.is_alive():
            try:
                self._serve(retrier.until_done(partial(connect, self._settings)), computing, tick)
            except BrokerError as error:
                log.warning("reconnecting to RabbitMQ: %s", error)
            except Exception as error:  # noqa: BLE001 -- pika raises anything on a stranger's headers
                log.warning("connection to RabbitMQ closed: unreadable message (%r)", error)
            if computing.is_alive():
                self._drop_stale()
                self._lost()
            self._careful_until = time.monotonic() + CAREFUL
            if self._stopping.wait(self._reconnect_pause):
                return

    def _serve(self, connection: Any, computing: threading.Thread, tick: Callable[[], None]) -> None:
        try:
            with translated():
                self._serve_on(connection, computing, tick)
        finally:
            self._consuming(False)
            with suppress(Exception):  # a broken connection need not close well
                connection.close()  # unacknowledged messages return now, not after missed heartbeats

    def _serve_on(self, connection: Any, computing: threading.Thread, tick: Callable[[], None]) -> None:
        channel = connection.channel()
        declare(channel, self._settings)
        acknowledgements = Acknowledgements(connection, channel)
        searching = connection.channel() if self._searches else None
        prefetch = 0
        while computing.is_alive():
            tick()
            wanted = self._prefetch()
            if wanted != prefetch:
                prefetch = self._consume(channel, acknowledgements, wanted)
                self._consuming(prefetch > 0)
                if self._searches:
                    self._searches.consume(connection, searching, wanted=prefetch > 0)
            connection.process_data_events(POLL)
            if prefetch:
                _check_consumers(channel, searching)
        connection.process_data_events(0)  # the last acknowledgements

    def _prefetch(self) -> int:
        """How many messages to hold: none when stopping, one for a while after a lost connection.

        The connection may have been lost to a message that pika cannot read. It is redelivered until RabbitMQ
        makes a dead letter of it; held alone, it takes no others along.
        """
        if self._stopping.is_set():
            return 0
        if time.monotonic() < self._careful_until:
            return 1
        size = self._settings.batch_size
        waiting = min(self._elsewhere(), MAX_ELSEWHERE)
        return 2 * size + -(-waiting // size) * size

    def _consume(self, channel: Any, acknowledgements: Acknowledgements, prefetch: int) -> int:
        """Consume with another prefetch count, which applies to new consumers only; 0: not at all."""
        for consumer in channel.consumer_tags:
            channel.basic_cancel(consumer)
        if prefetch:
            channel.basic_qos(prefetch_count=prefetch)
            channel.basic_consume(PICTURES_QUEUE, partial(self._receive, acknowledgements))
        return prefetch

    def _receive(
        self, acknowledgements: Acknowledgements, _: Any, method: Any, properties: Any, body: bytes
    ) -> None:
        self._deliveries.put(acknowledgements.delivery(method, properties.headers, body))

    def _drop_stale(self) -> None:
        """Free deliveries of the lost connection: they come again, and the computing thread may be waiting."""
        with suppress(queue.Empty):
            while True:
                self._deliveries.get_nowait()


def _check_consumers(*channels: Any) -> None:
    """See that RabbitMQ has cancelled no consumer, as it does when a queue is deleted.

    To declare the queues on this connection could make another one anew before RabbitMQ has told us of its end.
    It then lets our consumer go on with the new queue, and 3.10 hands it messages that never arrive.

    Raises:
        BrokerError: it has.
    """
    if any(channel is not None and not channel.consumer_tags for channel in channels):
        raise BrokerError("a queue was deleted")
