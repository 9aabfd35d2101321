"""Acknowledgements, sent together by the I/O thread."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Mapping
from functools import partial
from itertools import takewhile
from typing import Any

from faces.errors import BrokerError
from faces.messaging.amqp import translated
from worker.messages.delivery import Delivery

log = logging.getLogger(__name__)


class Acknowledgements:
    """Acknowledges deliveries of one channel for other threads, all waiting ones at once.

    A batch is settled picture by picture, and waking the I/O thread costs far more than an acknowledgement.
    """

    def __init__(self, connection: Any, channel: Any) -> None:
        self._connection, self._channel = connection, channel
        self._unacknowledged: deque[int] = deque()  # delivery tags in order; used by the I/O thread alone
        self._waiting: set[int] = set()
        self._lock = threading.Lock()

    def delivery(self, method: Any, headers: Mapping[str, Any] | None, body: bytes) -> Delivery:
        """Register a message that came, and return it with its acknowledgement. Called by the I/O thread."""
        self.hold(method.delivery_tag)
        return Delivery(
            headers=headers,
            body=body,
            redelivered=bool(method.redelivered),
            acknowledge=partial(self.add, method.delivery_tag),
            valid=lambda: bool(self._channel.is_open),
        )

    def hold(self, tag: int) -> None:
        """Register a delivery. Called by the I/O thread."""
        self._unacknowledged.append(tag)

    def add(self, tag: int) -> None:
        """Acknowledge a delivery soon. Any thread may call this; on a lost connection it does nothing."""
        with self._lock:
            scheduled = bool(self._waiting)
            self._waiting.add(tag)
        if scheduled:
            return
        try:
            with translated():
                self._connection.add_callback_threadsafe(self._send)
        except BrokerError:
            log.info("connection lost before an acknowledgement; the picture comes again and is then skipped")

    def _send(self) -> None:
        with self._lock:
            tags, self._waiting = self._waiting, set()
        if not self._channel.is_open:
            return
        first = list(takewhile(tags.__contains__, self._unacknowledged))
        if first:
            self._channel.basic_ack(first[-1], multiple=True)
        for tag in tags.difference(first):
            self._channel.basic_ack(tag)
        self._unacknowledged = deque(tag for tag in self._unacknowledged if tag not in tags)
