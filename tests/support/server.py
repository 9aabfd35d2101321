"""The server: one in this process and one of its own, and what it answers and publishes."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient

from faces.config import Settings
from faces.messaging import message
from faces.messaging.amqp import connect
from faces.messaging.topology import PICTURES_QUEUE
from local.process import Process, listening, until
from rest.app import build
from tests.conftest import environ
from tests.support.drawing import drawing

PICTURE = drawing()
HASH = hashlib.sha256(PICTURE).hexdigest()


@contextmanager
def serving(settings: Settings, **changes: Any) -> Iterator[FlaskClient]:
    app = build(replace(settings, **changes))
    with closing(app.extensions["facefleet"]), app.test_client() as opened:
        yield opened


def queued(settings: Settings) -> list[message.Message]:
    """Take all messages that wait in the queue."""
    with closing(connect(settings)) as connection:
        channel = connection.channel()
        taken = []
        while (delivery := channel.basic_get(PICTURES_QUEUE, auto_ack=True))[0] is not None:
            _, properties, body = delivery
            taken.append(message.decode(properties.headers, body))
        return taken


def problem(answer: Any) -> tuple[int, str]:
    """Status and code of an error's answer."""
    document = json.loads(answer.data)
    assert document["detail"]
    assert document["status"] == answer.status_code
    return answer.status_code, document["code"]


@contextmanager
def running(
    settings: Settings, folder: Path, command: Sequence[str] = ("-m", "rest"), **variables: str
) -> Iterator[Process]:
    """A server process; `command` is what Python runs."""
    process = Process("rest", folder)
    more = {"REST_PORT": str(settings.rest_port), "REST_THREADS": "4", **variables}
    process.start([sys.executable, *command], environ(settings, folder) | more)
    try:
        assert until(lambda: listening(settings.rest_port), 60), process.last_lines(20)
        yield process
    finally:
        process.kill()
