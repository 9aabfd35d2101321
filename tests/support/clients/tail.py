"""A reader of the exchange `logs`."""

from __future__ import annotations

from typing import Any

import pika

from faces.config import Settings


class Tail:
    """An existing tailer: it knows the exchange and its own binding, nothing else of ours."""

    def __init__(self, settings: Settings, binding: str) -> None:
        self._connection: Any = pika.BlockingConnection(
            pika.ConnectionParameters(host=settings.rabbitmq_host, port=settings.rabbitmq_port)
        )
        self._channel = self._connection.channel()
        self._channel.exchange_declare(exchange="logs", exchange_type="topic")
        self._queue = self._channel.queue_declare("", exclusive=True).method.queue
        self._channel.queue_bind(exchange="logs", queue=self._queue, routing_key=binding)
        self.lines: list[tuple[str, str]] = []

    def read(self) -> list[tuple[str, str]]:
        while (got := self._channel.basic_get(self._queue, auto_ack=True))[0] is not None:
            self.lines.append((got[0].routing_key, got[2].decode()))
        return self.lines

    def close(self) -> None:
        self._connection.close()
