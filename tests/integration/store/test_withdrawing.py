"""Withdrawing a picture that could not be published."""

from __future__ import annotations

from faces.store.client import RedisClient
from faces.store.pictures import queries
from faces.store.pictures.accept import accept
from faces.store.pictures.fail import fail
from faces.store.pictures.outcome import Outcome
from faces.store.pictures.withdraw import withdraw
from tests.support.committing import Worker, found, picture
from tests.support.rules import read_all


def test_withdrawing_two_resends_of_a_failed_picture_keeps_its_failure(redis: RedisClient) -> None:
    accept(redis, picture(0), "a")
    fail(redis, picture(0), "truncated", "the file ends too early")
    first, second = accept(redis, picture(0), "a"), accept(redis, picture(0), "b")
    assert withdraw(redis, first)
    assert withdraw(redis, second)
    (status,) = queries.statuses(redis, [picture(0)])
    assert status is not None
    assert (status.state, status.code, status.names) == ("failed", "truncated", ["a"])
    assert queries.counts(redis) == queries.Counts(1, 0, 1, 0, 0)


def test_withdrawing_the_only_sending_leaves_nothing(redis: RedisClient) -> None:
    assert withdraw(redis, accept(redis, picture(0), "a"))
    assert queries.statuses(redis, [picture(0)]) == [None]
    counts = queries.counts(redis)
    assert (counts.accepted, counts.in_flight) == (0, 0)
    assert Worker(redis).commit(found(0, 1)) == [Outcome.GONE]


def test_withdrawing_one_of_two_sendings_leaves_the_other(redis: RedisClient) -> None:
    accept(redis, picture(0), "a")
    assert withdraw(redis, accept(redis, picture(0), "b"))
    Worker(redis).commit(found(0, 1))
    assert read_all(redis).names == {"a": picture(0)}


def test_withdrawing_comes_too_late_once_the_picture_is_done(redis: RedisClient) -> None:
    first, second = accept(redis, picture(0), "a"), accept(redis, picture(0), "b")
    Worker(redis).commit(found(0, 1))
    assert not withdraw(redis, first)
    assert not withdraw(redis, second)
    assert read_all(redis).names == {"a": picture(0), "b": picture(0)}


def test_withdrawing_a_second_try_restores_the_failure(redis: RedisClient) -> None:
    accept(redis, picture(0), "a")
    fail(redis, picture(0), "truncated", "the file ends too early")
    assert withdraw(redis, accept(redis, picture(0), "a"))
    (status,) = queries.statuses(redis, [picture(0)])
    assert status is not None
    assert status.state == "failed"
    assert queries.counts(redis).unaccounted == 0
