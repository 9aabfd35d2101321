"""Consuming searches, which go ahead of the pictures that are waiting."""

from __future__ import annotations

import queue
from functools import partial
from typing import Any

from faces.messaging.topology import SEARCHES
from worker.messages.acknowledgements import Acknowledgements
from worker.messages.delivery import WAKE, Delivery

MAX_SEARCHES = 2  # that wait in this worker; others may go to an idle one


class SearchConsumer:
    """Fills `searches` for the computing thread, and wakes it by `deliveries`. Belongs to the I/O thread."""

    def __init__(self, searches: queue.SimpleQueue[Delivery], deliveries: queue.Queue[Delivery]) -> None:
        self._searches = searches
        self._deliveries = deliveries

    def consume(self, connection: Any, channel: Any, *, wanted: bool) -> None:
        """Consume on a channel of its own, or stop."""
        if wanted == bool(channel.consumer_tags):
            return
        for consumer in channel.consumer_tags:
            channel.basic_cancel(consumer)
        if wanted:
            channel.basic_qos(prefetch_count=MAX_SEARCHES)
            channel.basic_consume(SEARCHES, partial(self._receive, Acknowledgements(connection, channel)))

    def _receive(
        self, acknowledgements: Acknowledgements, _: Any, method: Any, properties: Any, body: bytes
    ) -> None:
        headers = {**(properties.headers or {}), "reply_to": properties.reply_to}
        self._searches.put(acknowledgements.delivery(method, headers, body))
        self._deliveries.put(WAKE)
