"""What a worker does with messages, on parts that are given to it, without RabbitMQ."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from faces.messaging.event_log import EventLog
from faces.messaging.message import Message, encode
from faces.picture_id import picture_id_of
from faces.process.retrier import Retrier
from faces.store.client import RedisClient
from faces.store.pictures.outcome import Outcome
from tests.support.fake_redis import FakeRedis
from worker.health.memory import Memory
from worker.job import Jobs, Result
from worker.messages.attempts import Attempts
from worker.messages.batching import Batcher
from worker.messages.delivery import Delivery
from worker.messages.outbox import Outbox
from worker.messages.processor import build_processor
from worker.metrics import Metrics

Between = Callable[[], None]

PICTURES = [bytes([number]) * 10 for number in range(4)]
IDS = [picture_id_of(picture) for picture in PICTURES]


class FakeEventLog:
    """Keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.lines: list[dict[str, Any]] = []

    def info(self, event: str, **fields: Any) -> None:
        self.said.append(event)
        self.lines.append(fields)

    debug = info


class FakePublisher:
    """Keeps what is published; raises what it is told to, once for each."""

    def __init__(self, *errors: Exception) -> None:
        self.published: list[tuple[str, str, Mapping[str, Any], bytes, float | None]] = []
        self.errors = list(errors)
        self.closed = False

    def publish(
        self, exchange: str, key: str, headers: Mapping[str, Any], body: bytes, *, expires: float | None
    ) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.published.append((exchange, key, headers, body, expires))

    def close(self) -> None:
        self.closed = True


@dataclass
class Bench:
    """A computing thread's work on deliveries; `jobs` does the pictures."""

    redis: RedisClient
    jobs: Any
    metrics: Metrics = field(default_factory=Metrics)
    stopping: threading.Event = field(default_factory=threading.Event)
    waiting: queue.Queue[Delivery] = field(default_factory=queue.Queue)
    publisher: FakePublisher = field(default_factory=FakePublisher)
    event_log: FakeEventLog = field(default_factory=FakeEventLog)
    batch_size: int = 8

    def __post_init__(self) -> None:
        retrier = Retrier(self.stopping)
        self.outbox = Outbox(self.publisher, retrier)
        self.attempts = Attempts(self.redis, retrier)
        self.processor = build_processor(
            redis=self.redis,
            batcher=Batcher(self.waiting, self.batch_size, idle=0.01),
            attempts=self.attempts,
            jobs=cast(Jobs, self.jobs),
            outbox=self.outbox,
            event_log=cast(EventLog, self.event_log),
            metrics=self.metrics,
            memory=Memory(0),
            retrier=retrier,
            stopping=self.stopping,
        )

    def work(self) -> None:
        """Process what is waiting, until an acknowledgement says stop."""
        self.outbox.start()
        self.processor.run()
        self.outbox.close()
        if self.processor.fault is not None:
            raise self.processor.fault

    def put(
        self, headers: dict[str, Any], body: bytes, *, redelivered: bool = False, last: bool = True
    ) -> None:
        """Deliver a message; the acknowledgement of the last one stops the work."""
        acknowledged = self.stopping.set if last else lambda: None
        self.waiting.put(Delivery(headers, body, redelivered, acknowledged, lambda: True))

    def value(self, name: str, **labels: str) -> float | None:
        """The value of a metric."""
        return self.metrics.registry.get_sample_value(f"facefleet_{name}", labels)


class FakeJobs:
    """Gives each picture its result; done where nothing else is said."""

    def __init__(self, **results: Result | Exception) -> None:
        self.results = results
        self.batches: list[list[str]] = []
        self.followed = 0
        self.slow: dict[str, Result] = {}

    def follow(self) -> None:
        self.followed += 1

    def finish_quarantined(self) -> dict[str, Result]:
        slow, self.slow = self.slow, {}
        return slow

    def run(self, messages: Sequence[Message], _between: Between) -> dict[str, Result]:
        self.batches.append([message.name for message in messages])
        return {message.picture_id: self._result(message) for message in messages}

    def _result(self, message: Message) -> Result:
        result = self.results.get(message.name, Result(Outcome.DONE, faces=2, matches=1, seconds=0.5))
        if isinstance(result, Exception):
            raise result
        return result


class Acknowledged:
    """A bench whose deliveries say when they are acknowledged."""

    def __init__(self, jobs: FakeJobs, *, publisher: FakePublisher | None = None) -> None:
        self.redis = FakeRedis(*IDS)
        self.jobs = jobs
        self.names: list[str] = []
        self.bench = Bench(cast(RedisClient, self.redis), jobs, publisher=publisher or FakePublisher())
        self.publisher, self.event_log = self.bench.publisher, self.bench.event_log

    def work(self, *names: str, redelivered: bool = False, headers: dict[str, object] | None = None) -> None:
        for number, name in enumerate(names):
            given, body = encode(Message(IDS[number], name, PICTURES[number]))
            self.bench.waiting.put(
                Delivery(
                    given | (headers or {}), body, redelivered, self._acknowledge(name, names), lambda: True
                )
            )
        self.bench.work()

    def _acknowledge(self, name: str, names: Sequence[str]) -> Callable[[], None]:
        def acknowledge() -> None:
            self.names.append(name)
            if len(self.names) == len(names):
                self.bench.stopping.set()

        return acknowledge
