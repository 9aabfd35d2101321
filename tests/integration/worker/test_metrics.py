"""The metrics of what seldom happens to a worker: commits that are tried again, redeliveries, dead letters."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterator, Sequence
from contextlib import closing

import pytest

from faces.config import Settings
from faces.messaging.message import Message, encode
from faces.picture_id import picture_id_of
from faces.process.retrier import Retrier
from faces.store.client import RedisClient
from faces.store.collection.data_version import DataVersion, agree
from faces.store.collection.journal import Entry
from faces.store.pictures.accept import accept
from faces.store.pictures.commit import DetectionResult
from tests.support.committing import Worker, found, picture
from tests.support.drawing import drawing
from tests.support.processes.quick_worker import ENGINE, MODEL
from tests.support.processing import Bench
from worker.crops import Crops
from worker.health.memory import Memory
from worker.index.face_index import FaceIndex, MatchSet
from worker.isolation.engine_process import EngineProcess, start
from worker.isolation.finder import Finder
from worker.isolation.template_process import TemplateProcess
from worker.job import Jobs
from worker.messages.retry import MAX_RETRIES
from worker.metrics import Metrics
from worker.originals import Originals

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


@pytest.fixture
def template() -> Iterator[TemplateProcess]:
    with closing(TemplateProcess(Settings(), ENGINE)) as process:
        start(process)
        yield process


def jobs(redis: RedisClient, template: TemplateProcess) -> Jobs:
    metrics = Metrics()
    return Jobs(
        redis=redis,
        originals=Originals(None),
        crops=Crops(None),
        finder=Finder(EngineProcess(template), None, Memory(0), metrics, timeout=60),
        quarantine=None,
        face_index=Disturbed(redis),
        data_version=DataVersion(MODEL, 0.6),
        retrier=Retrier(threading.Event()),
        metrics=metrics,
    )


@pytest.fixture
def bench(redis: RedisClient, template: TemplateProcess) -> Bench:
    agree(redis, DataVersion(MODEL, 0.6))
    done = jobs(redis, template)
    return Bench(redis, done, metrics=done.metrics)


def test_lag_and_retries(bench: Bench) -> None:
    other = Worker.__new__(Worker)
    other.redis, other.known, other.data_version = bench.redis, FaceIndex(0.6), DataVersion(MODEL, 0.6)
    for number in range(3):
        accept(bench.redis, picture(number), str(number))
        other.commit(found(number, number))
    accept(bench.redis, picture_id_of(PICTURE), "name")
    bench.put(*encode(Message(picture_id_of(PICTURE), "name", PICTURE)))
    bench.work()
    assert bench.event_log.said == ["taken", "done"]
    assert bench.value("commit_retries_total") == 1
    assert bench.value("journal_lag") == 3
    assert bench.value("index_faces") == 4


def test_redeliveries_and_dead_letters(bench: Bench) -> None:
    accept(bench.redis, picture_id_of(PICTURE), "name")
    bench.put({"version": 99, "attempt": MAX_RETRIES}, b"", last=False)
    bench.put(*encode(Message(picture_id_of(PICTURE), "name", PICTURE)), redelivered=True)
    bench.work()
    assert bench.value("dead_letters_total") == 1
    assert bench.value("redelivered_total") == 1
    assert [exchange for exchange, *_ in bench.publisher.published] == ["pictures.dead"]
    assert sorted(bench.event_log.said) == ["dead letter", "done", "taken"]
