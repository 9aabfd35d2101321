"""Whether the server is alive and ready, and its OpenAPI document. Needs no key."""

from __future__ import annotations

import socket
from collections.abc import Callable

from flask import Blueprint, Response

from faces.errors import Transient
from faces.health import Health
from rest.openapi import DOCUMENT
from rest.problems import unavailable
from rest.views import Parts, answer, parts

CONNECT_TIMEOUT = 2.0  # seconds
LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- how a server that listens on all is reached

health = Blueprint("health", __name__)


@health.get("/healthz")
def healthz() -> Response:
    """Report that the process is alive; if Redis or RabbitMQ is away, a restart would not help."""
    return answer({"state": "alive"})


@health.get("/readyz")
def readyz() -> Response:
    """Tell whether Redis answers, and in the body whether pictures are accepted.

    Without RabbitMQ, or with a full queue, the server stays ready: searching and erasing go on.
    """
    found = readiness(parts())
    return answer(found.fields) if found.ok else unavailable("not_ready", "Redis is unavailable")


@health.get("/openapi.json")
def openapi() -> Response:
    """Give the description of all routes."""
    return answer(DOCUMENT)


def readiness(parts: Parts) -> Health:
    """Ask Redis and RabbitMQ."""
    redis, rabbitmq = _holds(parts.redis.check), _holds(parts.publishers.check)
    return Health(
        redis,
        {
            "state": "ready" if redis else "not ready",
            "redis": "ready" if redis else "away",
            "rabbitmq": "ready" if rabbitmq else "away",
            "queue": "full" if parts.publishers.full else "open",
        },
    )


def probed(parts: Parts) -> Health:
    """Ask Redis and RabbitMQ from a thread that ends with the answer."""
    try:
        return readiness(parts)
    finally:
        parts.publishers.close()


def accepting(host: str, port: int) -> Health:
    """Tell whether the server accepts connections."""
    try:
        socket.create_connection((LOOPBACK.get(host, host), port), CONNECT_TIMEOUT).close()
    except OSError:
        return Health(False, {"state": "not accepting connections"})
    return Health(True, {"state": "alive"})


def _holds(check: Callable[[], None]) -> bool:
    try:
        check()
    except Transient:
        return False
    return True
