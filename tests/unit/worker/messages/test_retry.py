from __future__ import annotations

import pytest

from faces.errors import (
    FacefleetError,
    ImageStoreError,
    MessageError,
    PictureError,
    PoisonError,
    StoreError,
)
from faces.messaging.topology import RETRY_DELAYS
from worker.messages.retry import MAX_RETRIES, DeadLetter, Fail, RetryAfter, decide


@pytest.mark.parametrize("error", [PictureError("x"), PoisonError("x")])
def test_what_will_not_pass_fails_at_once(error: FacefleetError) -> None:
    assert decide(error, 0) == Fail()


def test_a_message_that_is_none_of_ours_is_a_dead_letter() -> None:
    assert decide(MessageError("x"), 0) == DeadLetter()


@pytest.mark.parametrize("error", [StoreError("x"), ImageStoreError("x")])
def test_what_may_pass_waits_longer_each_time_and_not_for_ever(error: FacefleetError) -> None:
    waits = [decide(error, attempt, jitter=0.0) for attempt in range(MAX_RETRIES + 1)]
    *retries, last = waits
    assert last == Fail()
    rungs = [wait.rung for wait in retries if isinstance(wait, RetryAfter)]
    assert rungs[: len(RETRY_DELAYS)] == list(RETRY_DELAYS)
    assert set(rungs[len(RETRY_DELAYS) :]) == {RETRY_DELAYS[-1]}


def test_chance_shortens_a_wait_by_up_to_half() -> None:
    waits = [decide(StoreError("x"), 1, jitter=chance) for chance in (0.0, 0.5, 1.0)]
    assert [w.wait for w in waits if isinstance(w, RetryAfter)] == [5.0, 3.75, 2.5]
    drawn = {w.wait for w in (decide(StoreError("x"), 1) for _ in range(20)) if isinstance(w, RetryAfter)}
    assert len(drawn) > 1
    assert all(2.5 <= wait <= 5.0 for wait in drawn)
