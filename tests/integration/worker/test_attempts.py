"""A picture that ends workers is told from one that comes again because connections are lost."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import cast

import pytest

from benchmarks.system.proxy import Proxy
from faces.config import Settings
from faces.errors import MismatchError
from faces.messaging.amqp import connect
from faces.messaging.message import Message, encode
from faces.messaging.topology import PICTURES_QUEUE
from faces.picture_id import picture_id_of
from faces.store.client import RedisClient
from faces.store.pictures import queries
from faces.store.pictures.accept import accept
from faces.store.pictures.attempts import excuse
from faces.store.pictures.fail import fail
from faces.store.pictures.outcome import Outcome
from local.process import until
from tests.support.consuming import consuming
from tests.support.drawing import drawing
from tests.support.processing import Bench
from worker.job import Jobs, Result
from worker.messages.delivery import Delivery

PICTURE = drawing()
HASH = picture_id_of(PICTURE)
WORKERS = 6  # more than the times that a picture may be begun again


class Line:
    """A line of workers. Each is still at the picture when the next one gets it."""

    def __init__(self, redis: RedisClient, *, alive: bool) -> None:
        self.redis = redis
        self.alive = alive

    def work(self, number: int = 0) -> None:
        bench = Bench(self.redis, jobs=None, batch_size=1)
        bench.processor.jobs = cast(Jobs, Picture(self, bench, number))
        bench.put(*encode(Message(HASH, "name", PICTURE)), redelivered=number > 0)
        bench.work()


@dataclass
class Picture:
    """The picture's computing by one of the line."""

    line: Line
    bench: Bench
    number: int

    def finish_quarantined(self) -> dict[str, Result]:
        return {}

    def run(self, _: Sequence[Message], _between: Callable[[], None]) -> dict[str, Result]:
        if self.line.alive:
            self.bench.attempts.excuse()
        if self.number < WORKERS:
            self.line.work(self.number + 1)
        return {HASH: Result(Outcome.DONE)}


class Mismatched:
    """A worker's jobs on a journal that was replaced."""

    def run(self, _: Sequence[Message], _between: Callable[[], None]) -> dict[str, Result]:
        raise MismatchError("the journal is another one")


def test_the_consumer_tells_of_each_lost_connection(settings: Settings) -> None:
    with closing(connect(settings)) as direct:
        direct.channel().basic_publish("", PICTURES_QUEUE, b"a message")
    deliveries: queue.Queue[Delivery] = queue.Queue()
    lost = threading.Event()
    with Proxy(settings.rabbitmq_port) as rabbit:
        through = replace(settings, rabbitmq_port=rabbit.port)
        with consuming(through, deliveries, lost=lost.set):
            for redelivered in (False, True):
                assert deliveries.get(timeout=60).redelivered is redelivered
                assert not lost.is_set()
                rabbit.cut()
                assert lost.wait(60)
                lost.clear()
            assert deliveries.get(timeout=60)
    assert not lost.is_set()


def test_deliveries_of_a_lost_connection_are_dropped(settings: Settings) -> None:
    """A computing thread that waits for Redis would otherwise collect a prefetch of pictures at each reconnect."""
    with closing(connect(settings)) as direct:
        for number in range(3):
            direct.channel().basic_publish("", PICTURES_QUEUE, bytes([number]))
    deliveries: queue.Queue[Delivery] = queue.Queue()
    left: list[int] = []
    with Proxy(settings.rabbitmq_port) as rabbit:
        through = replace(settings, rabbitmq_port=rabbit.port)
        with consuming(through, deliveries, lost=lambda: left.append(deliveries.qsize())):
            assert until(lambda: deliveries.qsize() == 3, 60)
            rabbit.cut()
            assert until(lambda: left == [0], 60)
            assert deliveries.get(timeout=60).valid()


@pytest.mark.parametrize(("alive", "state"), [(True, "pending"), (False, "failed")])
def test_lost_connections_make_no_picture_poison(redis: RedisClient, alive: bool, state: str) -> None:
    accept(redis, HASH, "name")
    Line(redis, alive=alive).work()
    (status,) = queries.statuses(redis, [HASH])
    assert status is not None
    assert status.state == state  # pending: nothing here commits


def test_a_worker_that_has_to_be_restarted_blames_no_picture(redis: RedisClient) -> None:
    accept(redis, HASH, "name")
    for number in range(WORKERS):
        bench = Bench(redis, Mismatched())
        bench.put(*encode(Message(HASH, "name", PICTURE)), redelivered=number > 0)
        with pytest.raises(MismatchError):
            bench.work()
    (status,) = queries.statuses(redis, [HASH])
    assert status is not None
    assert status.state == "pending"


def test_a_finished_picture_needs_no_excuse(redis: RedisClient) -> None:
    accept(redis, HASH, "name")
    fail(redis, HASH, "truncated", "the file ends too early")
    excuse(redis, HASH)
    excuse(redis, "ab" * 32)
    assert redis.ask((0, "EXISTS", "attempts")) == [0]
