"""Connections to RabbitMQ and confirmed publishing. pika's exceptions become ours here and nowhere else."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
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
from faces.tls import client_context, why
from faces.topology import declare

PERSISTENT = 2
ANSWERS = (
    NackError,
    UnroutableError,
    ConnectionBlockedTimeout,
)  # RabbitMQ said no; asking again changes nothing


def connect(settings: Settings, *, heartbeat: int | None = None) -> Any:
    """Open a `pika.BlockingConnection`; it belongs to the thread that opens it.

    Raises:
        BrokerError: RabbitMQ does not answer or does not let us in.
    """
    with translated():
        return pika.BlockingConnection(_parameters(settings, heartbeat or settings.rabbitmq_heartbeat))


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
            "RabbitMQ does not let us in: check RABBITMQ_USER, RABBITMQ_PASSWORD and RABBITMQ_VHOST"
        ) from error
    except (AMQPError, AMQPConnectorException, OSError) as error:
        raise BrokerError(f"RabbitMQ is not reachable or not ready: {why(error)}") from error


class Publisher:
    """Publishes messages, each confirmed by RabbitMQ. Belongs to one thread; mends its own connection."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._heartbeat = max(2, min(settings.rabbitmq_heartbeat, int(2 * settings.publish_timeout)))
        self._connection: Any = None
        self._channel: Any = None
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

        A connection that broke while it was idle is opened again, once. So a message may arrive twice.

        Raises:
            BrokerError: RabbitMQ is away, blocked by an alarm, or full, or no queue takes the message.
        """
        if self._idle() > self._heartbeat:
            self.close()  # RabbitMQ has most likely given it up already
        mended = self._channel is None
        try:
            self._publish_once(exchange, key, headers, body, expires)
        except BrokerError as error:
            self.close()
            if mended or isinstance(error.__cause__, ANSWERS):
                raise
            self._publish_once(exchange, key, headers, body, expires)

    def check(self) -> None:
        """Open the connection if need be and see that it lives.

        Raises:
            BrokerError: it does not.
        """
        try:
            with translated():
                self._open().connection.process_data_events(0)
        except BrokerError:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; the next message opens another."""
        connection, self._connection, self._channel = self._connection, None, None
        if connection is not None:
            with suppress(BrokerError), translated():
                connection.close()

    def _publish_once(
        self, exchange: str, key: str, headers: Mapping[str, Any], body: bytes, expires: float | None
    ) -> None:
        expiration = None if expires is None else str(int(expires * 1000))
        properties = pika.BasicProperties(
            headers=dict(headers), delivery_mode=PERSISTENT, expiration=expiration
        )
        with translated():
            self._open().basic_publish(exchange, key, body, properties, mandatory=True)
        self._used = time.monotonic()

    def _open(self) -> Any:
        if self._channel is None or not self._channel.is_open:
            self.close()
            self._connection = connect(self._settings, heartbeat=self._heartbeat)
            self._channel = self._connection.channel()
            declare(self._channel, self._settings)
            self._channel.confirm_delivery()
        return self._channel

    def _idle(self) -> float:
        return time.monotonic() - self._used if self._used else 0.0


def _parameters(settings: Settings, heartbeat: int) -> Any:
    timeout = settings.publish_timeout
    secured = client_context(settings.rabbitmq_ca, settings.rabbitmq_cert) if settings.rabbitmq_tls else None
    return pika.ConnectionParameters(
        ssl_options=pika.SSLOptions(secured, settings.rabbitmq_host) if secured else None,
        host=settings.rabbitmq_host,
        port=settings.rabbitmq_port,
        virtual_host=settings.rabbitmq_vhost,
        credentials=pika.PlainCredentials(settings.rabbitmq_user, settings.rabbitmq_password),
        heartbeat=heartbeat,
        blocked_connection_timeout=timeout,
        socket_timeout=timeout,
        stack_timeout=timeout,
        tcp_options={"TCP_USER_TIMEOUT": int(timeout * 1000)},
    )
