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
from faces.identity import hash_of
from faces.message import Message, encode
from faces.picture import Limits
from faces.progress import Progress
from faces.store.basis import Basis, agree
from faces.store.commit import Found
from faces.store.intake import accept
from faces.store.journal import Entry
from faces.store.link import Link
from tests.drawing import drawing
from tests.e2e.quick_worker import MODEL, QuickEngine
from tests.integration.store.test_commit import Worker, found, picture
from worker.consumer import Delivery
from worker.hands import Hands
from worker.job import Jobs
from worker.known import Comparison, Known
from worker.memory import Memory
from worker.metrics import Metrics
from worker.patience import Patience
from worker.watchdog import Watchdog

PICTURE = drawing()


class Disturbed(Known):
    """Between this worker's look at Redis and its transaction, somebody gives a picture another name; once."""

    def __init__(self, link: Link) -> None:
        super().__init__(0.6)
        self.link = link
        self.disturbed = False

    def compare(self, found: Sequence[Found]) -> Comparison:
        return DisturbedComparison(self, found)

    def disturb(self, pictures: Collection[str]) -> None:
        if not self.disturbed:
            self.disturbed = True
            for one in pictures:
                accept(self.link, one, "another name")


class DisturbedComparison(Comparison):
    """Disturbs while it catches up."""

    def __init__(self, known: Disturbed, found: Sequence[Found]) -> None:
        super().__init__(known, found)
        self._disturbed = known

    def catch_up(self, tail: Sequence[Entry], ours: Collection[str]) -> list[set[str]]:
        self._disturbed.disturb(ours)
        return super().catch_up(tail, ours)


@dataclass
class Bench:
    """A computing thread's work on deliveries, without RabbitMQ."""

    link: Link
    metrics: Metrics = field(default_factory=Metrics)
    stopping: threading.Event = field(default_factory=threading.Event)
    waiting: queue.Queue[Delivery] = field(default_factory=queue.Queue)
    published: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)

    def work(self) -> None:
        """Do what waits."""
        jobs = Jobs(
            link=self.link,
            images=None,
            engine=cast(Any, QuickEngine()),
            known=Disturbed(self.link),
            made_with=Basis(MODEL, 0.6),
            limits=Limits.of(Settings()),
            patience=Patience(self.stopping),
            metrics=self.metrics,
            watchdog=Watchdog(60),
        )
        Hands(
            deliveries=self.waiting,
            jobs=jobs,
            link=self.link,
            publisher=cast(Publisher, self),
            progress=cast(Progress, self),
            patience=Patience(self.stopping),
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
def bench(link: Link) -> Bench:
    agree(link, Basis(MODEL, 0.6))
    return Bench(link)


def test_lag_and_retries(bench: Bench) -> None:
    other = Worker.__new__(Worker)
    other.link, other.known, other.basis = bench.link, Known(0.6), Basis(MODEL, 0.6)
    for number in range(3):
        accept(bench.link, picture(number), str(number))
        other.commit(found(number, number))
    accept(bench.link, hash_of(PICTURE), "name")
    bench.put(*encode(Message(hash_of(PICTURE), "name", PICTURE)))
    bench.work()
    assert bench.said == ["taken", "done"]
    assert bench.value("commit_retries_total") == 1
    assert bench.value("journal_lag") == 3
    assert bench.value("index_faces") == 4


def test_redeliveries_and_dead_letters(bench: Bench) -> None:
    accept(bench.link, hash_of(PICTURE), "name")
    bench.put({"version": 99}, b"", last=False)
    bench.put(*encode(Message(hash_of(PICTURE), "name", PICTURE)), redelivered=True)
    bench.work()
    assert bench.value("dead_letters_total") == 1
    assert bench.value("redelivered_total") == 1
    assert bench.published == ["pictures.dead"]
    assert bench.said == ["dead letter", "taken", "done"]
