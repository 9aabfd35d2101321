"""The transaction that marks a picture as failed."""

from __future__ import annotations

import pytest

from faces.errors import StoreError
from faces.store.client import RedisClient
from faces.store.pictures import queries
from faces.store.pictures.accept import accept
from faces.store.pictures.erase import erase
from faces.store.pictures.fail import fail
from faces.store.pictures.outcome import Outcome
from tests.support.committing import Worker, found, picture
from tests.support.rules import faults, read_all


def test_a_failed_picture_keeps_its_reason_and_its_names_and_may_come_again(redis: RedisClient) -> None:
    accept(redis, picture(0), "a")
    accept(redis, picture(0), "b")
    assert fail(redis, picture(0), "truncated", "the file ends too early") is Outcome.DONE
    assert fail(redis, picture(0), "truncated", "again") is Outcome.ALREADY
    (status,) = queries.statuses(redis, [picture(0)])
    assert status is not None
    assert (status.state, status.code, status.names) == ("failed", "truncated", ["a", "b"])
    assert read_all(redis).names == {}
    accept(redis, picture(0), "a")
    assert queries.counts(redis).in_flight == 1
    Worker(redis).commit(found(0, 1))
    assert read_all(redis).names == {"a": picture(0)}
    assert faults(read_all(redis)) == []


def test_a_damaged_status_document_fails_alone_and_can_be_erased(redis: RedisClient) -> None:
    for number in range(3):
        accept(redis, picture(number), str(number))
    worker = Worker(redis)
    worker.commit(found(2, 1))
    redis.ask(*((0, "SET", f"status:{picture(number)}", "{") for number in (0, 2)))
    assert worker.commit(found(0, 1), found(1, 1)) == [Outcome.DAMAGED, Outcome.DONE]
    assert fail(redis, picture(0), "damaged", "send it again") is Outcome.DONE
    assert fail(redis, picture(2), "damaged", "send it again") is Outcome.DAMAGED, "it was done before"
    with pytest.raises(StoreError, match="damaged: erase it"):
        accept(redis, picture(2), "2")
    for number in (0, 2):
        erase(redis, picture(number))
    assert queries.counts(redis) == queries.Counts(3, 1, 0, 2, 0)
    assert faults(read_all(redis)) == []
