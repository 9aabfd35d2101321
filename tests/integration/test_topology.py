"""Queues that exist with other limits than this release's, as while a new one is rolled out."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from faces.config import Settings
from faces.messaging import topology
from faces.messaging.amqp import Publisher, connect
from faces.messaging.topology import (
    DEAD,
    PICTURE_KEY,
    PICTURES_EXCHANGE,
    PICTURES_QUEUE,
    declare,
    retry_queue,
)


def delete_queues(settings: Settings) -> None:
    with closing(connect(settings)) as connection:
        channel = connection.channel()
        for queue in (PICTURES_QUEUE, DEAD, retry_queue(7), *map(retry_queue, topology.RETRY_DELAYS)):
            channel.queue_delete(queue)


@pytest.fixture
def old(settings: Settings) -> Iterator[Settings]:
    """Settings of an older fleet, whose queues exist; afterwards they are as before."""
    delete_queues(settings)
    older = replace(settings, queue_max_length=7, queue_max_bytes=1000)
    with closing(connect(older)) as connection:
        declare(connection.channel(), older)
    yield older
    delete_queues(settings)


def test_other_limits_are_a_warning_and_the_fleet_works(
    old: Settings, settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(topology, "DELIVERY_LIMIT", 50)
    monkeypatch.setattr(topology, "RETRY_DELAYS", (1, 7))
    with caplog.at_level(logging.WARNING), closing(Publisher(settings)) as publisher:
        publisher.publish(PICTURES_EXCHANGE, PICTURE_KEY, {}, b"picture")
        publisher.publish("", retry_queue(7), {}, b"on a new rung")
        publisher.publish("", retry_queue(5), {}, b"on an old rung")
    (warning,) = [record.getMessage() for record in caplog.records if record.name == topology.__name__]
    assert warning.startswith(f"queue {PICTURES_QUEUE} keeps its limits")
    assert "x-max-length" in warning or "x-delivery-limit" in warning
    with closing(Publisher(old)) as publisher:
        publisher.publish(PICTURES_EXCHANGE, PICTURE_KEY, {}, b"picture")


def test_the_same_limits_are_no_warning(old: Settings, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), closing(connect(old)) as connection:
        declare(connection.channel(), old)
    assert caplog.records == []
