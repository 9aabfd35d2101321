"""Requests to Redis across its numbered databases. The only place that says SELECT.

A command is a tuple that begins with the number of its database: `(4, "SMEMBERS", hash)`. Commands given
together travel in one round trip; the connection always comes home to database 0 with the last of them.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from hiredis import pack_command
from redis import ConnectionPool, RedisError
from redis.backoff import NoBackoff
from redis.connection import Connection, SSLConnection
from redis.exceptions import AuthenticationError, ResponseError
from redis.retry import Retry

from faces.config import Settings
from faces.errors import StoreError
from faces.store.keys import DATABASES, HOME
from faces.tls import client_context, why

Command = tuple[Any, ...]


class RedisClient:
    """A pool of connections to one Redis. Threads may share it; whatever borrows from `pool` stays at home."""

    def __init__(self, settings: Settings) -> None:
        # An EXEC whose reply is lost must not be sent again unseen: no retry below the transaction itself.
        self.pool = ConnectionPool(
            **_secured(settings),
            host=settings.redis_host,
            port=settings.redis_port,
            username=settings.redis_username or None,
            password=settings.redis_password or None,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            socket_connect_timeout=5,
            socket_timeout=30,
            health_check_interval=30,
        )

    def ask(self, *commands: Command) -> list[Any]:
        """Send commands in one round trip, not as a transaction, and give their replies.

        Raises:
            StoreError: Redis is away or refuses one of them.
        """
        with self.session() as session:
            return session.ask(*commands)

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Hold one connection: for WATCH, the reads that follow it, and the transaction."""
        with translated():
            connection = self.pool.get_connection()
            try:
                session = Session(connection)
                yield session
                session.unwatch()
            except BaseException:
                # it may be watching, or in another database
                connection.disconnect()  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
                raise
            finally:
                self.pool.release(connection)

    def check(self) -> None:
        """See that Redis answers and has the numbered databases.

        Raises:
            StoreError: it does not.
        """
        self.ask((max(DATABASES), "PING"))

    def close(self) -> None:
        """Close all connections."""
        self.pool.disconnect()


class Session:
    """One connection, held for a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._watching = False

    def ask(self, *commands: Command) -> list[Any]:
        """Send commands in one round trip and give their replies."""
        self._watching |= any(command[1] == "WATCH" for command in commands)
        routed = list(_routed(commands))
        replies = self._send([args for _, args in routed])
        return [reply for (ours, _), reply in zip(routed, replies, strict=True) if ours]

    def commit(self, *commands: Command) -> list[Any] | None:
        """Run commands as one atomic MULTI over all databases.

        Returns:
            Their replies; None when a watched key has changed and nothing was done.
        """
        routed = list(_routed(commands))
        *_, outcome = self._send([("MULTI",), *(args for _, args in routed), ("EXEC",)])
        self._watching = False
        if outcome is None:
            return None
        _raise_first(outcome)
        return [reply for (ours, _), reply in zip(routed, outcome, strict=True) if ours]

    def unwatch(self) -> None:
        """Forget what is watched, if anything is."""
        if self._watching:
            self.ask((HOME, "UNWATCH"))
            self._watching = False

    def _send(self, commands: Sequence[tuple[Any, ...]]) -> list[Any]:
        connection = self._connection
        packed = b"".join(map(pack_command, commands))  # redis-py's own way round takes five times as long
        connection.send_packed_command([packed])  # type: ignore[no-untyped-call]  # as above
        # every reply is read before one is judged: a reply left behind would answer the next command
        replies = [_reply(connection) for _ in commands]
        _raise_first(replies)
        return replies


class _Secured(SSLConnection):
    """A connection over TLS that trusts exactly the authorities of one context."""

    def __init__(self, *, context: ssl.SSLContext, **options: Any) -> None:
        super().__init__(**options)
        self._context = context

    def _wrap_socket_with_ssl(self, sock: socket.socket) -> ssl.SSLSocket:
        return self._context.wrap_socket(sock, server_hostname=self.host)


def _secured(settings: Settings) -> dict[str, Any]:
    if not settings.redis_tls:
        return {}
    return {
        "connection_class": _Secured,
        "context": client_context(settings.redis_ca, settings.redis_cert),
    }


def _reply(connection: Connection) -> Any:
    try:
        return connection.read_response()
    except ResponseError as error:
        return error


def _routed(commands: Sequence[Command]) -> Iterator[tuple[bool, tuple[Any, ...]]]:
    """Put a SELECT wherever the database changes, and one home at the end; ours tells them apart."""
    current = HOME
    for database, *args in commands:
        if database != current:
            yield False, ("SELECT", database)
            current = database
        yield True, tuple(args)
    if current != HOME:
        yield False, ("SELECT", HOME)


def _raise_first(replies: Sequence[Any]) -> None:
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply


@contextmanager
def translated() -> Iterator[None]:
    """Turn whatever redis-py or the socket raises into a StoreError."""
    try:
        yield
    except AuthenticationError as error:
        raise StoreError("Redis does not let us in: check REDIS_USERNAME and REDIS_PASSWORD") from error
    except (RedisError, OSError) as error:
        raise StoreError(f"Redis is not reachable or not ready: {why(error)}") from error
