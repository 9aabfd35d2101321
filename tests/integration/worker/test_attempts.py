"""A picture that ends workers is told from one that comes again because connections are lost."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any, cast

import pytest

from benchmarks.proxy import Proxy
from faces.amqp import connect
from faces.config import Settings
from faces.errors import MismatchError
from faces.message import Message, encode
from faces.picture_id import picture_id_of
from faces.store import queries
from faces.store.accept import accept
from faces.store.attempts import excuse
from faces.store.client import RedisClient
from faces.store.commit import Outcome, fail
from faces.topology import PICTURES_QUEUE
from tests.support.drawing import drawing
from worker.consumer import Consumer, Delivery
from worker.health.memory import Memory
from worker.job import Result
from worker.metrics import Metrics
from worker.processor import BatchProcessor
from worker.retrier import Retrier

PICTURE = drawing()
HASH = picture_id_of(PICTURE)
WORKERS = 6  # more than the times that a picture may be begun again


class Worker:
    """One of a line of workers. Each is still at the picture when the next one gets it."""

    def __init__(self, redis: RedisClient, number: int, *, alive: bool) -> None:
        self.redis = redis
        self.number = number
        self.alive = alive
        self.stopping = threading.Event()
        self.said: list[str] = []

    def work(self) -> None:
        deliveries: queue.Queue[Delivery] = queue.Queue()
        message = encode(Message(HASH, "name", PICTURE))
        deliveries.put(Delivery(*message, self.number > 0, self.stopping.set, lambda: True))
        self.processor = BatchProcessor(
            deliveries=deliveries,
            jobs=cast(Any, self),
            redis=self.redis,
            publisher=cast(Any, self),
            event_log=cast(Any, self),
            retrier=Retrier(self.stopping),
            stopping=self.stopping,
            batch_size=1,
            metrics=Metrics(),
            memory=Memory(0),
        )
        self.processor.run()
        self.processor.raise_fault()

    def run(self, _: Sequence[Message]) -> dict[str, Result]:
        """The picture's computing."""
        if self.alive:
            self.processor.excuse_pictures()
        if self.number < WORKERS:
            Worker(self.redis, self.number + 1, alive=self.alive).work()
        return {HASH: Result(Outcome.DONE)}

    def info(self, event: str, **_: object) -> None:
        self.said.append(event)

    debug = info

    def close(self) -> None:
        pass


def test_the_consumer_tells_of_each_lost_connection(settings: Settings) -> None:
    with closing(connect(settings)) as direct:
        direct.channel().basic_publish("", PICTURES_QUEUE, b"a message")
    deliveries: queue.Queue[Delivery] = queue.Queue()
    lost, stopping, finished = threading.Event(), threading.Event(), threading.Event()
    computing = threading.Thread(target=finished.wait)
    computing.start()
    with Proxy(settings.rabbitmq_port) as rabbit:
        consumer = Consumer(replace(settings, rabbitmq_port=rabbit.port), deliveries, stopping, lost.set)
        consuming = threading.Thread(target=consumer.run, args=(computing, lambda: None))
        consuming.start()
        try:
            for redelivered in (False, True):
                assert deliveries.get(timeout=30).redelivered is redelivered
                assert not lost.is_set()
                rabbit.cut()
                assert lost.wait(30)
                lost.clear()
            assert deliveries.get(timeout=30)
        finally:
            stopping.set()
            finished.set()
            consuming.join()
    assert not lost.is_set()


@pytest.mark.parametrize(("alive", "state"), [(True, "pending"), (False, "failed")])
def test_lost_connections_make_no_picture_poison(redis: RedisClient, alive: bool, state: str) -> None:
    accept(redis, HASH, "name")
    Worker(redis, 0, alive=alive).work()
    (status,) = queries.statuses(redis, [HASH])
    assert status is not None
    assert status.state == state  # pending: nothing here commits


def test_a_worker_that_has_to_be_started_anew_blames_no_picture(
    redis: RedisClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*_: object) -> dict[str, Result]:
        raise MismatchError("the journal is another one")

    monkeypatch.setattr(Worker, "run", end)
    accept(redis, HASH, "name")
    for number in range(WORKERS):
        with pytest.raises(MismatchError):
            Worker(redis, number, alive=True).work()
    (status,) = queries.statuses(redis, [HASH])
    assert status is not None
    assert status.state == "pending"


def test_a_finished_picture_needs_no_excuse(redis: RedisClient) -> None:
    accept(redis, HASH, "name")
    fail(redis, HASH, "truncated", "the file ends too early")
    excuse(redis, HASH)
    excuse(redis, "ab" * 32)
    assert redis.ask((0, "EXISTS", "attempts")) == [0]
