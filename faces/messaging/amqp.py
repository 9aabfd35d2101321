"""Connections to RabbitMQ and confirmed publishing. pika's exceptions become ours here and nowhere else."""

from __future__ import annotations

import math
import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import pika
from pika.adapters.utils.connection_workflow import AMQPConnectorException
from pika.exceptions import (
    AMQPError,
    ConnectionBlockedTimeout,
    NackError,
    ProbableAccessDeniedError,
    ProbableAuthenticationError,
    UnroutableError,
)

from faces.config import Settings
from faces.errors import BrokerError
from faces.messaging.confirming import ConfirmingChannel, Outgoing
from faces.messaging.topology import PICTURES_QUEUE, declare
from faces.tls import client_context, why

HEARTBEAT = 60  # seconds; a C call that holds the GIL for longer would lose the connection
GOODBYE = 1.0  # seconds; close timeout
LOOK = 3.0  # seconds to see whether it is there; a probe waits for 5
ANSWERS = (
    NackError,
    UnroutableError,
    ConnectionBlockedTimeout,
)  # RabbitMQ said no; asking again changes nothing


def connect(settings: Settings, *, heartbeat: int | None = None, timeout: float | None = None) -> Any:
    """Open a `pika.BlockingConnection`; it belongs to the thread that opens it.

    Args:
        settings: where RabbitMQ is.
        heartbeat: seconds; `HEARTBEAT` by default.
        timeout: seconds that it may take in all; else `publish_timeout`.

    Raises:
        BrokerError: RabbitMQ does not answer or rejected our credentials.
    """
    heartbeat = heartbeat or HEARTBEAT
    timeout = settings.publish_timeout if timeout is None else timeout
    with translated():
        # pika tries each address of the host in turn, and gives each the whole timeout
        addresses = socket.getaddrinfo(
            settings.rabbitmq_host, settings.rabbitmq_port, type=socket.SOCK_STREAM
        )
        return pika.BlockingConnection(_parameters(settings, heartbeat, timeout / len(addresses)))


@contextmanager
def limited(connection: Any, deadline: float) -> Iterator[None]:
    """Close a connection on which an operation is still waiting at a monotonic time; infinity: never.

    pika waits for an answer as long as the connection lives: for a confirmation, that is for ever. This is how pika
    itself ends a connection that RabbitMQ has blocked for too long.
    """
    if deadline == math.inf:
        yield
        return
    implementation = connection._impl
    late = ConnectionBlockedTimeout("no answer in time")
    left = max(0.0, deadline - time.monotonic())
    timer = implementation._adapter_call_later(left, lambda: implementation._terminate_stream(late))
    try:
        yield
    finally:
        implementation._adapter_remove_timeout(timer)


def properties(headers: Mapping[str, Any], *, reply_to: str, seconds: float) -> Any:
    """The properties of a message that is kept in memory, and for some seconds only."""
    return pika.BasicProperties(
        headers=dict(headers), reply_to=reply_to, expiration=str(max(1, int(seconds * 1000)))
    )


@contextmanager
def translated() -> Iterator[None]:
    """Turn whatever pika or the socket raises into a BrokerError."""
    try:
        yield
    except UnroutableError as error:
        raise BrokerError("RabbitMQ has no queue for this message") from error
    except NackError as error:
        raise BrokerError("RabbitMQ refused the message because the queue is full") from error
    except (ProbableAuthenticationError, ProbableAccessDeniedError) as error:
        raise BrokerError(
            "RabbitMQ rejected our credentials: check RABBITMQ_USER, RABBITMQ_PASSWORD and RABBITMQ_VHOST"
        ) from error
    except (AMQPError, AMQPConnectorException, OSError) as error:
        raise BrokerError(f"RabbitMQ is not reachable or not ready: {why(error)}") from error


def _said(answer: AMQPError) -> BrokerError:
    """RabbitMQ's answer to a message that it did not take, as our error."""
    try:
        with translated():
            raise answer
    except BrokerError as error:
        return error


def is_full(error: BrokerError) -> bool:
    """Tell whether RabbitMQ is there and well, and has only no room in the queue."""
    return isinstance(error.__cause__, NackError)


class Publisher:
    """Publishes messages, each confirmed by RabbitMQ. Belongs to one thread; mends its own connection.

    Whatever RabbitMQ and the network do, an answer takes `publish_timeout` seconds at most.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._heartbeat = max(2, min(HEARTBEAT, int(2 * settings.publish_timeout)))
        self._connection: Any = None
        self._channel: ConfirmingChannel | None = None
        self._used = 0.0

    def publish(
        self,
        exchange: str,
        key: str,
        headers: Mapping[str, Any],
        body: bytes,
        *,
        expires: float | None = None,
    ) -> None:
        """Publish a persistent message and return once RabbitMQ has it in a queue; `expires` is in seconds.

        Raises:
            BrokerError: RabbitMQ is unavailable, silent, blocked by an alarm or full; or no queue takes it.
        """
        expiration = None if expires is None else str(int(expires * 1000))
        (error,) = self._publish(exchange, key, [Outgoing(headers, body, expiration)])
        if error is not None:
            raise error

    def publish_all(
        self, exchange: str, key: str, messages: Sequence[tuple[Mapping[str, Any], bytes]]
    ) -> list[BrokerError | None]:
        """Publish persistent messages, each its headers and its body, and wait for RabbitMQ to confirm them.

        Returns:
            Of each message None once RabbitMQ has it in a queue, or what `publish` raises.
        """
        return self._publish(exchange, key, [Outgoing(headers, body) for headers, body in messages])

    def _publish(self, exchange: str, key: str, messages: Sequence[Outgoing]) -> list[BrokerError | None]:
        """Publish messages; what a connection that broke while it was idle has not confirmed, on another, once.

        So a message may arrive twice.
        """
        deadline = self._deadline()
        if self._idle() > self._heartbeat:
            self.close()  # RabbitMQ has most likely given it up already
        mended = self._channel is None
        error = self._publish_once(deadline, exchange, key, messages)
        if error is not None and not mended and not isinstance(error.__cause__, ANSWERS):
            left = [message for message in messages if not message.answered]
            error = self._publish_once(deadline, exchange, key, left)
        return [_said(m.fault) if m.fault else None if m.answered else error for m in messages]

    def check(self) -> None:
        """Open the connection if need be and see that RabbitMQ answers on it.

        Raises:
            BrokerError: it does not.
        """
        deadline = min(self._deadline(), time.monotonic() + LOOK)
        try:
            with translated():
                channel = self._open(deadline).channel
                with limited(self._connection, deadline):
                    channel.queue_declare(PICTURES_QUEUE, passive=True)
        except BrokerError:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; the next message opens another."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None and connection.is_open:
            with suppress(BrokerError), translated(), limited(connection, time.monotonic() + GOODBYE):
                connection.close()

    def _publish_once(
        self, deadline: float, exchange: str, key: str, messages: Sequence[Outgoing]
    ) -> BrokerError | None:
        """Publish messages on the connection that there is, or on a new one; None once all are answered."""
        try:
            with translated():
                confirming = self._open(deadline)
                with limited(self._connection, deadline):
                    confirming.publish(exchange, key, messages)
        except BrokerError as error:
            self.close()
            return error
        self._used = time.monotonic()
        return None

    def _open(self, deadline: float) -> ConfirmingChannel:
        if self._channel is None or not self._channel.is_open:
            self.close()
            left = max(0.01, deadline - time.monotonic())
            self._connection = connect(self._settings, heartbeat=self._heartbeat, timeout=left)
            with limited(self._connection, deadline):
                channel = self._connection.channel()
                declare(channel, self._settings)
                self._channel = ConfirmingChannel(channel)
        return self._channel

    def _deadline(self) -> float:
        return time.monotonic() + self._settings.publish_timeout

    def _idle(self) -> float:
        return time.monotonic() - self._used if self._used else 0.0


def _parameters(settings: Settings, heartbeat: int, timeout: float) -> Any:
    secured = client_context(settings.rabbitmq_ca, settings.rabbitmq_cert) if settings.rabbitmq_tls else None
    return pika.ConnectionParameters(
        ssl_options=pika.SSLOptions(secured, settings.rabbitmq_host) if secured else None,
        host=settings.rabbitmq_host,
        port=settings.rabbitmq_port,
        virtual_host=settings.rabbitmq_vhost,
        credentials=pika.PlainCredentials(settings.rabbitmq_user, settings.rabbitmq_password),
        heartbeat=heartbeat,
        blocked_connection_timeout=settings.publish_timeout,
        socket_timeout=timeout,
        stack_timeout=timeout,
        tcp_options={"TCP_USER_TIMEOUT": int(settings.publish_timeout * 1000)},
    )
