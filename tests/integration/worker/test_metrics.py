"""The metrics of what seldom happens to a worker: commits that are tried again, redeliveries, dead letters."""

from __future__ import annotations

import queue
import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from faces.amqp import Publisher
from faces.config import Settings
from faces.event_log import EventLog
from faces.formats.limits import Limits
from faces.message import Message, encode
from faces.picture_id import picture_id_of
from faces.store.accept import accept
from faces.store.client import RedisClient
from faces.store.commit import DetectionResult
from faces.store.data_version import DataVersion, agree
from faces.store.journal import Entry
from tests.integration.store.test_commit import Worker, found, picture
from tests.support.drawing import drawing
from tests.support.quick_worker import MODEL, QuickEngine
from worker.consumer import Delivery
from worker.health.memory import Memory
from worker.health.watchdog import Watchdog
from worker.index.face_index import FaceIndex, MatchSet
from worker.job import Jobs
from worker.metrics import Metrics
from worker.processor import BatchProcessor
from worker.retrier import Retrier

PICTURE = drawing()


class Disturbed(FaceIndex):
    """Between this worker's look at Redis and its transaction, somebody gives a picture another name; once."""

    def __init__(self, redis: RedisClient) -> None:
        super().__init__(0.6)
        self.redis = redis
        self.disturbed = False

    def compare(self, found: Sequence[DetectionResult]) -> MatchSet:
        return DisturbedComparison(self, found)

    def disturb(self, pictures: Collection[str]) -> None:
        if not self.disturbed:
            self.disturbed = True
            for one in pictures:
                accept(self.redis, one, "another name")


class DisturbedComparison(MatchSet):
    """Disturbs while it catches up."""

    def __init__(self, face_index: Disturbed, found: Sequence[DetectionResult]) -> None:
        super().__init__(face_index, found)
        self._disturbed = face_index

    def catch_up(self, tail: Sequence[Entry], ours: Collection[str]) -> list[set[str]]:
        self._disturbed.disturb(ours)
        return super().catch_up(tail, ours)


@dataclass
class Bench:
    """A computing thread's work on deliveries, without RabbitMQ."""

    redis: RedisClient
    metrics: Metrics = field(default_factory=Metrics)
    stopping: threading.Event = field(default_factory=threading.Event)
    waiting: queue.Queue[Delivery] = field(default_factory=queue.Queue)
    published: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def work(self) -> None:
        """Do what waits."""
        jobs = Jobs(
            redis=self.redis,
            image_store=None,
            engine=cast(Any, QuickEngine()),
            face_index=Disturbed(self.redis),
            data_version=DataVersion(MODEL, 0.6),
            limits=Limits.of(Settings()),
            retrier=Retrier(self.stopping),
            metrics=self.metrics,
            watchdog=Watchdog(60),
        )
        BatchProcessor(
            deliveries=self.waiting,
            jobs=jobs,
            redis=self.redis,
            publisher=cast(Publisher, self),
            event_log=cast(EventLog, self),
            retrier=Retrier(self.stopping),
            stopping=self.stopping,
            batch_size=8,
            metrics=self.metrics,
            memory=Memory(0),
        ).run()

    def put(
        self, headers: dict[str, Any], body: bytes, *, redelivered: bool = False, last: bool = True
    ) -> None:
        done = self.stopping.set if last else lambda: None
        self.waiting.put(Delivery(headers, body, redelivered, done, lambda: True))

    def value(self, name: str) -> float | None:
        return self.metrics.registry.get_sample_value(f"facefleet_{name}")

    def publish(self, exchange: str, *_: object, **__: object) -> None:
        self.published.append(exchange)

    def info(self, event: str, **_: object) -> None:
        self.said.append(event)

    debug = info

    def close(self) -> None:
        pass


@pytest.fixture
def bench(redis: RedisClient) -> Bench:
    agree(redis, DataVersion(MODEL, 0.6))
    return Bench(redis)


def test_lag_and_retries(bench: Bench) -> None:
    other = Worker.__new__(Worker)
    other.redis, other.known, other.data_version = bench.redis, FaceIndex(0.6), DataVersion(MODEL, 0.6)
    for number in range(3):
        accept(bench.redis, picture(number), str(number))
        other.commit(found(number, number))
    accept(bench.redis, picture_id_of(PICTURE), "name")
    bench.put(*encode(Message(picture_id_of(PICTURE), "name", PICTURE)))
    bench.work()
    assert bench.said == ["taken", "done"]
    assert bench.value("commit_retries_total") == 1
    assert bench.value("journal_lag") == 3
    assert bench.value("index_faces") == 4


def test_redeliveries_and_dead_letters(bench: Bench) -> None:
    accept(bench.redis, picture_id_of(PICTURE), "name")
    bench.put({"version": 99}, b"", last=False)
    bench.put(*encode(Message(picture_id_of(PICTURE), "name", PICTURE)), redelivered=True)
    bench.work()
    assert bench.value("dead_letters_total") == 1
    assert bench.value("redelivered_total") == 1
    assert bench.published == ["pictures.dead"]
    assert bench.said == ["dead letter", "taken", "done"]
