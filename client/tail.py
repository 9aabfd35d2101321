"""Following the log lines, across reconnects."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from faces.config import Settings
from faces.errors import BrokerError
from faces.messaging.amqp import connect, translated
from faces.messaging.topology import LOGS_EXCHANGE, declare_logs

RECONNECT = 2.0  # seconds
MAX_WAITING = 10_000  # lines RabbitMQ keeps for a stopped terminal before it drops the oldest


@dataclass(frozen=True, slots=True)
class Line:
    """One line, as it was published."""

    key: str
    body: bytes


def follow(settings: Settings, binding: str, tell: Callable[[str], None]) -> Iterator[Line | None]:
    """Yield the lines whose routing key matches a binding as they arrive; None after about a second without one.

    When the connection is lost, `tell` is told, and it reconnects; lines published meanwhile are lost.

    Raises:
        BrokerError: RabbitMQ is unavailable at the start.
    """
    connection, lines = _listen(settings, binding)
    yield None
    while True:
        try:
            with _closed_after(connection):
                yield from _until_cut_off(connection, lines)
        except BrokerError as error:
            tell(f"{error}; reconnecting")
        connection, lines = _listen_again(settings, binding)
        tell("reconnected")


@contextmanager
def _closed_after(connection: Any) -> Iterator[None]:
    try:
        yield
    finally:
        with suppress(BrokerError), translated():
            connection.close()


def _listen(settings: Settings, binding: str) -> tuple[Any, list[Line]]:
    """Open a connection that appends arriving lines to a list."""
    lines: list[Line] = []
    connection = connect(settings)

    def receive(_channel: Any, method: Any, _properties: Any, body: bytes) -> None:
        lines.append(Line(method.routing_key, body))

    with translated():
        channel = connection.channel()
        declare_logs(channel)
        arguments = {"x-max-length": MAX_WAITING}
        queue = channel.queue_declare("", exclusive=True, auto_delete=True, arguments=arguments).method.queue
        channel.queue_bind(queue, LOGS_EXCHANGE, binding)
        channel.basic_consume(queue, receive, auto_ack=True)
    return connection, lines


def _listen_again(settings: Settings, binding: str) -> tuple[Any, list[Line]]:
    while True:
        time.sleep(RECONNECT)
        with suppress(BrokerError):
            return _listen(settings, binding)


def _until_cut_off(connection: Any, lines: list[Line]) -> Iterator[Line | None]:
    while True:
        with translated():  # not around the yields: what the reader raises is not RabbitMQ's
            connection.process_data_events(1)
        if not lines:
            yield None
        yield from lines
        lines.clear()
