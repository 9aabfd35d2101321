"""A message's way from delivery to acknowledgement, on fakes of everything around it."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from faces.errors import BrokerError, ImageStoreError, MismatchError, PictureError, StoreError
from faces.messaging.message import Message, decode, encode
from faces.store.keys import ATTEMPTS
from faces.store.pictures.outcome import Outcome
from tests.support.processing import IDS, PICTURES, Acknowledged, Between, FakeJobs, FakePublisher
from worker.job import Result
from worker.messages.delivery import Delivery
from worker.messages.retry import MAX_STARTS


def test_a_batch_is_taken_done_and_acknowledged_in_order() -> None:
    worker = Acknowledged(FakeJobs())
    worker.work("a", "b", "c")
    assert worker.jobs.batches == [["a", "b", "c"]]
    assert worker.names == ["a", "b", "c"]
    assert worker.event_log.said == ["taken"] * 3 + ["done"] * 3
    line = worker.event_log.lines[-1]
    assert (line["name"], line["faces"], line["matches"], line["seconds"]) == ("c", 2, 1, 0.5)
    assert worker.bench.value("pictures_total", outcome="done") == 3
    assert worker.bench.value("faces_total") == 6


def test_a_bad_picture_fails_and_the_others_are_done() -> None:
    bad = PictureError("the file ends too early", code="truncated")
    worker = Acknowledged(FakeJobs(b=Result(error=bad)))
    worker.work("a", "b", "c")
    status = worker.redis.status(IDS[1])
    assert status is not None
    assert (status.state, status.code, status.reason) == ("failed", "truncated", "the file ends too early")
    assert worker.names == ["a", "b", "c"]
    assert sorted(worker.event_log.said[3:]) == ["done", "done", "failed"]


def test_what_may_pass_goes_to_the_ladder_and_is_acknowledged_after_that() -> None:
    worker = Acknowledged(FakeJobs(a=Result(error=ImageStoreError("away"))))
    worker.work("a")
    ((exchange, queue, headers, body, expires),) = worker.publisher.published
    assert (exchange, queue) == ("", "pictures.retry.1s")
    assert expires is not None
    assert 0.5 <= expires <= 1
    assert decode(headers, body).attempt == 1
    assert worker.names == ["a"]
    assert worker.bench.value("pictures_total", outcome="retried") == 1


def test_a_retry_that_cannot_be_published_holds_up_nothing() -> None:
    """RabbitMQ has an alarm: the second picture is settled before the first one's retry has left."""
    publisher = FakePublisher(BrokerError("blocked"), BrokerError("blocked"))
    worker = Acknowledged(FakeJobs(a=Result(error=ImageStoreError("away"))), publisher=publisher)
    worker.work("a", "b")
    assert worker.names == ["b", "a"]


def test_a_retry_of_a_lost_connection_is_not_published() -> None:
    worker = Acknowledged(FakeJobs(a=Result(error=ImageStoreError("away"))))
    valid = [True]
    headers, body = encode(Message(IDS[0], "a", PICTURES[0]))
    worker.bench.waiting.put(
        Delivery(headers, body, False, lambda: None, lambda: bool(valid and valid.pop()))
    )
    worker.bench.put(*encode(Message(IDS[1], "b", PICTURES[1])))
    worker.bench.work()
    assert worker.jobs.batches == [["a", "b"]]
    assert worker.publisher.published == []


def test_a_picture_that_ends_workers_is_poison() -> None:
    worker = Acknowledged(FakeJobs())
    worker.redis.hashes = {ATTEMPTS: {IDS[0]: MAX_STARTS}}
    worker.work("a", redelivered=True)
    status = worker.redis.status(IDS[0])
    assert status is not None
    assert (status.state, status.code) == ("failed", "poison")
    assert worker.jobs.batches == [[]]


def test_an_unforeseen_error_ends_the_worker_and_counts_against_its_pictures() -> None:
    worker = Acknowledged(FakeJobs(a=KeyError("an error that nobody has foreseen")))
    with pytest.raises(KeyError):
        worker.work("a", redelivered=True)
    assert worker.redis.attempts(IDS[0]) == 1


@pytest.mark.parametrize("outcome", [Outcome.ALREADY, Outcome.GONE])
def test_a_picture_that_needs_nothing_more_is_acknowledged(outcome: Outcome) -> None:
    worker = Acknowledged(FakeJobs(a=Result(outcome)))
    worker.work("a", redelivered=True)
    assert worker.names == ["a"]
    assert worker.event_log.lines[-1]["reason"] == outcome.value
    assert worker.redis.attempts(IDS[0]) is None


def test_a_mismatch_ends_the_worker_and_excuses_its_pictures() -> None:
    worker = Acknowledged(FakeJobs(a=MismatchError("another journal")))
    with pytest.raises(MismatchError):
        worker.work("a", redelivered=True)
    assert worker.redis.attempts(IDS[0]) == 0
    assert worker.names == []


def test_a_worker_told_to_stop_leaves_unfinished_pictures_unacknowledged() -> None:
    class Stopping(FakeJobs):
        def run(self, _: Sequence[Message], _between: Between) -> dict[str, Result]:
            worker.bench.stopping.set()
            raise StoreError("away")

    worker = Acknowledged(Stopping())
    worker.work("a")
    assert worker.names == []


def test_an_idle_worker_follows_the_journal() -> None:
    class Idle(FakeJobs):
        def follow(self) -> None:
            worker.bench.stopping.set()
            super().follow()

    worker = Acknowledged(Idle())
    worker.bench.work()
    assert worker.jobs.followed == 1


def test_a_picture_in_quarantine_is_acknowledged_when_it_is_finished() -> None:
    """Its message stays unacknowledged meanwhile, and later ones are settled before it."""

    class Quarantining(FakeJobs):
        def run(self, messages: Sequence[Message], _between: Between) -> dict[str, Result]:
            results = super().run(messages, _between)
            if "b" in {message.name for message in messages}:
                self.slow = {IDS[1]: results.pop(IDS[1])}
            return results

    worker = Acknowledged(Quarantining())
    worker.work("a", "b", "c")
    assert worker.names == ["a", "c", "b"]
    assert worker.event_log.said.count("done") == 3


def test_a_worker_told_to_stop_excuses_what_is_in_quarantine() -> None:
    class Quarantining(FakeJobs):
        def run(self, messages: Sequence[Message], _between: Between) -> dict[str, Result]:
            super().run(messages, _between)
            worker.bench.stopping.set()
            return {}

    worker = Acknowledged(Quarantining())
    worker.work("a", redelivered=True)
    assert worker.names == []
    assert worker.redis.attempts(IDS[0]) == 0
