from __future__ import annotations

import threading
from typing import Any, cast

import pytest

from faces.errors import PoisonError, StoreError
from faces.messaging.message import Message
from faces.process.retrier import Retrier
from faces.store.client import RedisClient
from tests.support.fake_redis import FakeRedis
from worker.messages.attempts import Attempts
from worker.messages.delivery import Delivery, PendingMessage
from worker.messages.retry import MAX_STARTS

A, B = "a" * 64, "b" * 64


def message(picture_id: str, *, redelivered: bool = True) -> PendingMessage:
    delivery = Delivery({}, b"", redelivered, lambda: None, lambda: True)
    return PendingMessage(delivery, Message(picture_id, "name", b""))


def attempts(redis: FakeRedis) -> Attempts:
    return Attempts(cast(RedisClient, redis), Retrier(threading.Event()))


def test_a_redelivered_picture_may_start_a_few_times() -> None:
    counting = attempts(FakeRedis(A))
    for _ in range(MAX_STARTS):
        counting.check(message(A))
    with pytest.raises(PoisonError, match="died"):
        counting.check(message(A))


def test_a_first_delivery_is_not_counted() -> None:
    redis = FakeRedis(A)
    for _ in range(MAX_STARTS + 1):
        attempts(redis).check(message(A, redelivered=False))
    assert redis.attempts(A) is None


def test_excuse_takes_back_one_start_of_what_is_held_and_only_once() -> None:
    redis = FakeRedis(A, B)
    counting = attempts(redis)
    for picture_id in (A, B):
        counting.check(message(picture_id))
    counting.hold([A, B])
    counting.release(B)
    counting.excuse()
    counting.excuse()
    assert (redis.attempts(A), redis.attempts(B)) == (0, 1)


def test_a_finished_picture_s_count_is_dropped() -> None:
    redis = FakeRedis()
    counting = attempts(redis)
    counting.check(message(A))
    counting.forget(message(A))
    assert redis.attempts(A) is None


def test_excusing_without_redis_is_logged_and_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    redis: Any = FakeRedis(A)
    counting = attempts(redis)
    counting.hold([A])
    redis.failures.append(StoreError("away"))
    counting.excuse()
    assert "could not reset attempt counts: away" in caplog.text
