"""Liveness, readiness, and the description of the routes. None of them needs a key."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any, Literal

from flask import Response, current_app
from flask_openapi.openapi import OpenAPI
from pydantic import BaseModel, RootModel

from faces.errors import Transient
from faces.process.health import Health
from faces.store.client import RedisClient
from rest.answers import answer
from rest.auth.scopes import PUBLIC
from rest.openapi import Routes
from rest.parts import parts
from rest.problems import unavailable
from rest.publishing import PublisherPool

CONNECT_TIMEOUT = 2.0  # seconds
LOOPBACK = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 -- how a server that listens on all is reached

health = Routes("health")


class Alive(BaseModel):
    """The process is alive."""

    state: Literal["alive"]


class Ready(BaseModel):
    """Pictures can be accepted, or could if the queue were not full."""

    state: Literal["ready"]
    redis: Literal["ready"]
    rabbitmq: Literal["ready", "away"]
    queue: Literal["open", "full"]


class Document(RootModel[dict[str, Any]]):
    """An OpenAPI document."""


@health.operation("GET", "/healthz", scope=PUBLIC, answers={200: Alive})
def healthz() -> Response:
    """Tell that the process is alive.

    Whatever else is unavailable, restarting the server would not help.
    """
    return answer({"state": "alive"})


@health.operation(
    "GET",
    "/healthcheck",
    scope=PUBLIC,
    answers={
        200: {"description": "`OK`", "content": {"text/plain": {"schema": {"type": "string", "const": "OK"}}}}
    },
)
def healthcheck() -> Response:
    """Tell that the process is alive, in two letters."""
    return Response("OK", mimetype="text/plain")


@health.operation("GET", "/readyz", scope=PUBLIC, answers={200: Ready}, problems=(503,))
def readyz() -> Response:
    """Tell whether Redis answers, and in the body whether pictures are accepted.

    Without RabbitMQ, or with a full queue, the server stays ready: searching and erasing go on.
    """
    found = readiness(parts().redis, parts().publishers)
    return answer(found.fields) if found.ok else unavailable("not_ready", "Redis is unavailable")


@health.operation("GET", "/openapi.json", scope=PUBLIC, answers={200: Document})
def openapi() -> Response:
    """The description of all routes, OpenAPI 3.1."""
    app = current_app
    assert isinstance(app, OpenAPI)  # noqa: S101 -- for the type checker: `create_app` makes it
    return answer(app.api_doc)


def readiness(redis: RedisClient, publishers: PublisherPool) -> Health:
    """Ask Redis and RabbitMQ."""
    redis_there, rabbitmq_there = _holds(redis.check), _holds(publishers.check)
    return Health(
        redis_there,
        {
            "state": "ready" if redis_there else "not ready",
            "redis": "ready" if redis_there else "away",
            "rabbitmq": "ready" if rabbitmq_there else "away",
            "queue": "full" if publishers.full else "open",
        },
    )


def probed(redis: RedisClient, publishers: PublisherPool) -> Health:
    """Ask Redis and RabbitMQ from a thread that ends with the answer."""
    try:
        return readiness(redis, publishers)
    finally:
        publishers.close()


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
