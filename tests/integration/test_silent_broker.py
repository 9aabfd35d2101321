"""A RabbitMQ that takes bytes and says nothing: whoever publishes hears so in time."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from benchmarks.system.proxy import Proxy
from faces.config import Settings
from faces.errors import BrokerError
from faces.messaging.amqp import Publisher, connect
from faces.messaging.topology import PICTURE_KEY, PICTURES_EXCHANGE
from local.rabbitmq import RabbitServer

TIMEOUT = 1.0
SLACK = 1.0  # for a busy machine
CONFIRMATION = b"\x00\x3c\x00\x50"  # of AMQP 0-9-1: the method ack of the class basic
BODIES = pytest.mark.parametrize("size", [10, 8 << 20], ids=["small", "more than sockets hold"])


@pytest.fixture
def proxy(settings: Settings) -> Iterator[Proxy]:
    with Proxy(settings.rabbitmq_port) as proxy:
        yield proxy


def publisher(settings: Settings, proxy: Proxy) -> Any:
    return closing(Publisher(replace(settings, rabbitmq_port=proxy.port, publish_timeout=TIMEOUT)))


def publish(opened: Publisher, size: int = 10) -> None:
    opened.publish(PICTURES_EXCHANGE, PICTURE_KEY, {}, bytes(size))


def refused_in_time(opened: Publisher, size: int = 10) -> None:
    begun = time.monotonic()
    with pytest.raises(BrokerError, match=r"no answer in time|not ready"):
        publish(opened, size)
    assert time.monotonic() - begun < TIMEOUT + SLACK


@BODIES
def test_a_connection_that_goes_silent_is_given_up_in_time_and_mended(
    settings: Settings, proxy: Proxy, size: int
) -> None:
    with publisher(settings, proxy) as opened:
        publish(opened)
        proxy.stalled = True
        refused_in_time(opened, size)
        refused_in_time(opened, size)  # now on a connection that does not come about
        proxy.stalled = False
        publish(opened, size)


def test_a_confirmation_that_never_comes_is_not_waited_for(settings: Settings, proxy: Proxy) -> None:
    with publisher(settings, proxy) as opened:
        publish(opened)
        proxy.lose_once(CONFIRMATION)
        refused_in_time(opened)
        publish(opened)


def test_a_silent_broker_is_not_there(settings: Settings, proxy: Proxy) -> None:
    with publisher(settings, proxy) as opened:
        opened.check()
        proxy.stalled = True
        begun = time.monotonic()
        for _ in range(2):
            with pytest.raises(BrokerError):
                opened.check()
        assert time.monotonic() - begun < 2 * TIMEOUT + SLACK
        proxy.stalled = False
        opened.check()


def test_a_broker_that_stands_still_is_given_up_in_time(
    settings: Settings, rabbit_server: RabbitServer
) -> None:
    still = replace(settings, publish_timeout=TIMEOUT)
    with closing(Publisher(still)) as opened:
        publish(opened)
        rabbit_server.process.kill(signal.SIGSTOP)
        try:
            refused_in_time(opened)
            refused_in_time(opened)
        finally:
            rabbit_server.process.kill(signal.SIGCONT)
        publish(opened)
    with closing(connect(settings)) as connection:
        assert connection.is_open
