"""Whether the server lives, whether it can take pictures, and what it can be asked. Needs no key."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response

from faces.errors import Transient
from rest.openapi import DOCUMENT
from rest.problems import unavailable
from rest.views import answer, parts

health = Blueprint("health", __name__)


@health.get("/healthz")
def healthz() -> Response:
    """Say that the process lives; whatever else is away, starting it again would not help."""
    return answer({"state": "alive"})


@health.get("/readyz")
def readyz() -> Response:
    """Say whether Redis and RabbitMQ answer.

    A full queue does not make the server unready: searching and erasing go on, and every other server is as full.
    """
    away = [name for name, check in parts().checks().items() if not _holds(check)]
    if not away:
        return answer({"state": "ready", "queue": "full" if parts().publishers.full else "open"})
    return unavailable("not_ready", f"no picture can be taken: {' and '.join(away)} away")


@health.get("/openapi.json")
def openapi() -> Response:
    """Give the description of all routes."""
    return answer(DOCUMENT)


def _holds(check: Callable[[], None]) -> bool:
    try:
        check()
    except Transient:
        return False
    return True
