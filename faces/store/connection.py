"""Connections to Redis. redis-py's exceptions become ours here and nowhere else."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis import ConnectionPool, RedisError
from redis.backoff import NoBackoff
from redis.connection import SSLConnection
from redis.exceptions import AuthenticationError, OutOfMemoryError
from redis.retry import Retry

from faces.config import Settings
from faces.errors import StoreError, StoreFullError
from faces.tls import client_context, why


def new_pool(settings: Settings) -> ConnectionPool:
    """Create a pool of connections; none is opened yet."""
    return ConnectionPool(
        **_secured(settings),
        host=settings.redis_host,
        port=settings.redis_port,
        username=settings.redis_username or None,
        password=settings.redis_password or None,
        protocol=2,
        # An EXEC whose reply is lost must not be repeated silently: no retry below the transaction itself.
        retry=Retry(NoBackoff(), 0),
        socket_connect_timeout=5,
        socket_timeout=30,
        health_check_interval=30,
    )


@contextmanager
def translated() -> Iterator[None]:
    """Turn whatever redis-py or the socket raises into a StoreError."""
    try:
        yield
    except AuthenticationError as error:
        raise StoreError("Redis rejected our credentials: check REDIS_USERNAME and REDIS_PASSWORD") from error
    except OutOfMemoryError as error:
        raise StoreFullError(
            "Redis has reached its memory limit (maxmemory): erase pictures or raise it"
        ) from error
    except (RedisError, OSError) as error:
        raise StoreError(f"Redis is not reachable or not ready: {why(error)}") from error


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
