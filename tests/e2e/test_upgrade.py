"""Data and messages that 0.1.0 has written are read by the version here.

`data-0.1.0` was made by that release: pictures that were sent, one of them erased, one under a name that another
had before, and the message of one that was still waiting in RabbitMQ.
"""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from faces.messaging.amqp import Publisher
from tests.conftest import missing
from tests.e2e.conftest import Fleet
from tests.support.rules import faults, read_all
from tests.support.servers.debian_redis import debian_server

DATA = Path(__file__).parent / "data-0.1.0"
RESTORE = Path(__file__).parents[2] / "k8s/components/backup/backup"
TOLERANCE = "0.6"  # what it was made with
EXPECTED: dict[str, Any] = json.loads((DATA / "expected.json").read_text())


@pytest.fixture
def upgraded(fleet: Fleet) -> Fleet:
    """A fleet of this version on the data of 0.1.0."""
    if debian_server() is None:
        missing("Debian's redis-server: apt-get install redis-server")
    environ = {
        "PATH": os.environ["PATH"],
        "REDIS_HOST": fleet.settings.redis_host,
        "REDIS_PORT": str(fleet.settings.redis_port),
    }
    subprocess.run(["sh", RESTORE, "restore", DATA / "redis.rdb"], env=environ, check=True, timeout=60)
    return fleet


def test_what_was_known_is_known(upgraded: Fleet) -> None:
    assert faults(read_all(upgraded.redis), float(TOLERANCE)) == []
    upgraded.start_all(MATCH_TOLERANCE=TOLERANCE)
    for name, picture in EXPECTED["pictures"].items():
        assert upgraded.match(picture) == EXPECTED["matches"][name], name
        assert upgraded.status(picture).get("state") == EXPECTED["states"][name], name
    assert upgraded.status(EXPECTED["erased"])["state"] == "unknown"


def test_work_goes_on(upgraded: Fleet, photographs: Path) -> None:
    """The message that waited is processed, and a new picture matches the old ones."""
    upgraded.start_all(MATCH_TOLERANCE=TOLERANCE)
    message = json.loads((DATA / "message.json").read_text())
    body = (photographs / EXPECTED["waiting"]).read_bytes()
    with closing(Publisher(upgraded.settings)) as publisher:
        publisher.publish(message["exchange"], message["routing_key"], message["headers"], body)
    sent = upgraded.scan((photographs / "obama.jpg").read_bytes() + b"new", "new.jpg")
    upgraded.wait()
    assert upgraded.status(message["headers"]["hash"])["state"] == "done"
    assert {"obama.jpg", "obama3.jpg"} <= set(upgraded.match(sent))
    assert faults(read_all(upgraded.redis), float(TOLERANCE)) == []
