"""A picture that ends workers is told from one that comes again because connections are lost."""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any, cast

import pytest

from faces.amqp import connect
from faces.config import Settings
from faces.errors import MismatchError
from faces.identity import hash_of
from faces.message import Message, encode
from faces.store import reading
from faces.store.attempts import excuse
from faces.store.commit import Outcome, fail
from faces.store.intake import accept
from faces.store.link import Link
from faces.topology import PICTURES_QUEUE
from local.proxy import Proxy
from tests.drawing import drawing
from worker.consumer import Consumer, Delivery
from worker.hands import Hands
from worker.job import Result
from worker.memory import Memory
from worker.metrics import Metrics
from worker.patience import Patience

PICTURE = drawing()
HASH = hash_of(PICTURE)
WORKERS = 6  # more than the times that a picture may be begun again


class Worker:
    """One of a line of workers. Each is still at the picture when the next one gets it."""

    def __init__(self, link: Link, number: int, *, alive: bool) -> None:
        self.link = link
        self.number = number
        self.alive = alive
        self.stopping = threading.Event()
        self.said: list[str] = []

    def work(self) -> None:
        deliveries: queue.Queue[Delivery] = queue.Queue()
        message = encode(Message(HASH, "name", PICTURE))
        deliveries.put(Delivery(*message, self.number > 0, self.stopping.set, lambda: True))
        self.hands = Hands(
            deliveries=deliveries,
            jobs=cast(Any, self),
            link=self.link,
            publisher=cast(Any, self),
            progress=cast(Any, self),
            patience=Patience(self.stopping),
            stopping=self.stopping,
            batch_size=1,
            metrics=Metrics(),
            memory=Memory(0),
        )
        self.hands.run()
        self.hands.raise_fault()

    def run(self, _: Sequence[Message]) -> dict[str, Result]:
        """The picture's computing."""
        if self.alive:
            self.hands.excuse_pictures()
        if self.number < WORKERS:
            Worker(self.link, self.number + 1, alive=self.alive).work()
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
def test_lost_connections_make_no_picture_poison(link: Link, alive: bool, state: str) -> None:
    accept(link, HASH, "name")
    Worker(link, 0, alive=alive).work()
    (status,) = reading.statuses(link, [HASH])
    assert status is not None
    assert status.state == state  # pending: nothing here commits


def test_a_worker_that_has_to_be_started_anew_blames_no_picture(
    link: Link, monkeypatch: pytest.MonkeyPatch
) -> None:
    def end(*_: object) -> dict[str, Result]:
        raise MismatchError("the journal is another one")

    monkeypatch.setattr(Worker, "run", end)
    accept(link, HASH, "name")
    for number in range(WORKERS):
        with pytest.raises(MismatchError):
            Worker(link, number, alive=True).work()
    (status,) = reading.statuses(link, [HASH])
    assert status is not None
    assert status.state == "pending"


def test_a_finished_picture_needs_no_excuse(link: Link) -> None:
    accept(link, HASH, "name")
    fail(link, HASH, "truncated", "the file ends too early")
    excuse(link, HASH)
    excuse(link, "ab" * 32)
    assert link.ask((0, "EXISTS", "attempts")) == [0]
