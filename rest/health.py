"""Liveness, readiness, and the description of the routes. None of them needs a key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from flask import Response, current_app
from flask_openapi.openapi import OpenAPI
from pydantic import BaseModel, RootModel

from faces.errors import Transient
from rest.answers import answer
from rest.auth.scopes import PUBLIC
from rest.openapi import Routes
from rest.parts import parts
from rest.problems import unavailable

health = Routes("health")


class Alive(BaseModel):
    """The process is alive."""

    state: Literal["alive"]


class Ready(BaseModel):
    """Pictures can be accepted, or could if the queue were not full."""

    state: Literal["ready"]
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
    """Tell whether Redis and RabbitMQ answer.

    A full queue does not make the server unready: searching and erasing go on, and every other server is as full.
    """
    away = [name for name, check in parts().checks().items() if not _holds(check)]
    if not away:
        return answer({"state": "ready", "queue": "full" if parts().publishers.full else "open"})
    return unavailable("not_ready", f"no picture can be accepted: {' and '.join(away)} unavailable")


@health.operation("GET", "/openapi.json", scope=PUBLIC, answers={200: Document})
def openapi() -> Response:
    """The description of all routes, OpenAPI 3.1."""
    app = current_app
    assert isinstance(app, OpenAPI)  # noqa: S101 -- for the type checker: `create_app` makes it
    return answer(app.api_doc)


def _holds(check: Callable[[], None]) -> bool:
    try:
        check()
    except Transient:
        return False
    return True
