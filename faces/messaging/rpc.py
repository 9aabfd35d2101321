"""Questions to the workers over RabbitMQ, answered by direct reply-to."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from faces.config import Settings
from faces.errors import BrokerError
from faces.messaging.amqp import connect, limited, properties, translated
from faces.messaging.topology import declare

REPLY_TO = "amq.rabbitmq.reply-to"
HEARTBEAT = 20  # seconds; nothing is sent while a requester is idle, so it begins anew after that
LOOK = 0.1  # seconds between looks whether the answer is still wanted


class Requester:
    """Asks one question at a time. Belongs to one thread at a time; mends its own connection."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._connection: Any = None
        self._channel: Any = None
        self._used = 0.0
        self._answers: dict[str, bytes] = {}

    def ask(
        self,
        queue: str,
        headers: Mapping[str, Any],
        body: bytes,
        seconds: float,
        gone: threading.Event | None = None,
    ) -> bytes | None:
        """Put a question into a queue and wait for its answer; None where there was none in time.

        Once `gone` is set, by whatever thread, nobody wants the answer any more, and it is not waited for.

        Raises:
            BrokerError: RabbitMQ is unavailable, or the queue is full.
        """
        deadline = time.monotonic() + seconds
        if time.monotonic() - self._used > HEARTBEAT:
            self.close()
        fresh = self._channel is None
        try:
            return self._ask(queue, headers, body, deadline, gone)
        except BrokerError:
            self.close()
            if fresh:
                raise
            return self._ask(queue, headers, body, deadline, gone)

    def close(self) -> None:
        """Close the connection; the next question opens another."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None and connection.is_open:
            with suppress(BrokerError), translated(), limited(connection, time.monotonic() + 1):
                connection.close()

    def _ask(
        self,
        queue: str,
        headers: Mapping[str, Any],
        body: bytes,
        deadline: float,
        gone: threading.Event | None,
    ) -> bytes | None:
        number = uuid.uuid4().hex
        with translated():
            channel = self._open(deadline)
            with limited(channel.connection, deadline + 1):
                wanted = properties(
                    {**headers, "id": number}, reply_to=REPLY_TO, seconds=deadline - time.monotonic()
                )
                channel.basic_publish("", queue, body, wanted, mandatory=True)
                while number not in self._answers and (left := deadline - time.monotonic()) > 0:
                    if gone is not None and gone.is_set():
                        break
                    channel.connection.process_data_events(left if gone is None else min(left, LOOK))
        self._used = time.monotonic()
        answer = self._answers.pop(number, None)
        self._answers.clear()  # what came too late for its question
        return answer

    def _open(self, deadline: float) -> Any:
        if self._channel is None or not self._channel.is_open:
            self.close()
            left = max(0.01, deadline - time.monotonic())
            self._connection = connect(self._settings, heartbeat=2 * HEARTBEAT, timeout=left)
            with limited(self._connection, deadline):
                self._channel = self._connection.channel()
                declare(self._channel, self._settings)
                self._channel.basic_consume(REPLY_TO, self._receive, auto_ack=True)
                self._channel.confirm_delivery()
        return self._channel

    def _receive(self, _channel: Any, _method: Any, properties: Any, body: bytes) -> None:
        number = (properties.headers or {}).get("id")
        if isinstance(number, str):
            self._answers[number] = body
