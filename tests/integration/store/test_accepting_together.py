"""Pictures that are accepted, published or withdrawn together: each as if it had come alone, whatever fails."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from faces.errors import BrokerError, ImageStoreError, PictureError, StoreError, Transient
from faces.formats.signatures import PictureBytes
from faces.image_store.pictures import ImageStore
from faces.messaging.message import Message
from faces.store.client import RedisClient, Session
from faces.store.keys import EVENTS, status_key
from faces.store.pictures import queries
from faces.store.pictures.accept import Receipt, Sending, accept, accept_all
from faces.store.pictures.erase import erase
from faces.store.pictures.fail import fail
from faces.store.pictures.outcome import Outcome
from faces.store.pictures.removal import removing
from faces.usecases.publication import Offer, accept_and_publish_all
from tests.support.committing import Worker, found, picture
from tests.support.rules import faults, read_all

FULL = BrokerError("the queue is full")


class Broker:
    """Confirms what it is told to, and keeps that."""

    def __init__(self, *faults: Transient | None) -> None:
        self.queue: list[str] = []
        self._faults = faults

    def publish_all(self, messages: Sequence[Message]) -> list[Transient | None]:
        answers = [*self._faults, *[None] * (len(messages) - len(self._faults))]
        self.queue += [m.picture_id for m, fault in zip(messages, answers, strict=True) if fault is None]
        return answers


def offers(*numbers: int, data: bytes | None = None) -> list[Offer]:
    return [Offer(Message(picture(n), f"name {place}", b""), data) for place, n in enumerate(numbers)]


def state_of(redis: RedisClient, number: int) -> str | None:
    (status,) = queries.statuses(redis, [picture(number)])
    return None if status is None else status.state


def consistent(redis: RedisClient) -> bool:
    return faults(read_all(redis)) == []


def test_a_picture_that_comes_twice_counts_once_and_has_both_names(redis: RedisClient) -> None:
    outcomes = accept_all(
        redis, [Sending(picture(0), "a"), Sending(picture(1), "b"), Sending(picture(0), "c")]
    )
    assert [isinstance(one, Receipt) and one.waits for one in outcomes] == [False, False, True]
    assert queries.counts(redis) == queries.Counts(2, 0, 0, 0, 2)
    assert redis.ask((0, "XLEN", EVENTS)) == [2]
    Worker(redis).commit(found(0, 1), found(1, 2))
    assert read_all(redis).names == {"a": picture(0), "b": picture(1), "c": picture(0)}


def test_a_name_goes_to_the_picture_it_was_last_sent_with(redis: RedisClient) -> None:
    accept(redis, picture(0), "old")
    Worker(redis).commit(found(0, 1))
    # the second is done already and has the name at once; the first is still to come, and must not take it
    accept_all(redis, [Sending(picture(1), "same"), Sending(picture(0), "same")])
    Worker(redis).commit(found(1, 2))
    assert read_all(redis).names == {"old": picture(0), "same": picture(0)}
    assert consistent(redis)


def test_a_damaged_or_erased_one_is_refused_alone(redis: RedisClient) -> None:
    redis.ask((0, "SET", status_key(picture(1)), "{"))
    broker = Broker()
    outcomes = accept_and_publish_all(redis, broker.publish_all, None, offers(0, 1, 2))
    assert outcomes[0] is outcomes[2] is True
    assert isinstance(outcomes[1], StoreError)
    assert broker.queue == [picture(0), picture(2)]
    fail(redis, picture(0), "truncated", "cut off")
    again = accept_and_publish_all(redis, broker.publish_all, None, offers(0, 3), replayed=True)
    assert again[0] is True
    assert isinstance(again[1], PictureError)
    assert (again[1].code, state_of(redis, 3)) == ("not_found", None)


def test_one_that_is_being_erased_is_refused_alone(redis: RedisClient) -> None:
    accept(redis, picture(2), "before")
    broker = Broker()
    with removing(redis, picture(1)), removing(redis, picture(2)):
        outcomes = accept_and_publish_all(redis, broker.publish_all, None, offers(0, 1, 2))
    assert [one if one is True else type(one) for one in outcomes] == [True, StoreError, True]
    assert broker.queue == [picture(0), picture(2)]
    assert accept_and_publish_all(redis, broker.publish_all, None, offers(1)) == [True]
    assert consistent(redis)


@pytest.mark.parametrize("confirmed", range(4))
def test_a_broker_that_dies_after_some_leaves_those_and_nothing_of_the_others(
    redis: RedisClient, confirmed: int
) -> None:
    accept(redis, picture(2), "before")
    fail(redis, picture(2), "truncated", "cut off")
    broker = Broker(*[None] * confirmed, *[FULL] * (3 - confirmed))
    outcomes = accept_and_publish_all(redis, broker.publish_all, None, offers(0, 1, 2))
    assert outcomes == [True] * confirmed + [FULL] * (3 - confirmed)
    assert len(broker.queue) == confirmed
    states = [state_of(redis, number) for number in range(3)]
    assert states == [*["pending"] * confirmed, *[None, None, "failed"][confirmed:]]
    assert queries.counts(redis).unaccounted == 0
    assert consistent(redis)


def test_of_two_sendings_of_a_picture_the_one_that_was_published_stays(redis: RedisClient) -> None:
    outcomes = accept_and_publish_all(redis, Broker(FULL, None, FULL).publish_all, None, offers(0, 0, 0))
    assert outcomes == [FULL, True, FULL]
    Worker(redis).commit(found(0, 1))
    assert read_all(redis).names == {"name 1": picture(0)}
    nothing = accept_and_publish_all(redis, Broker(FULL, FULL).publish_all, None, offers(1, 1))
    assert nothing == [FULL, FULL]
    assert (state_of(redis, 1), queries.counts(redis)) == (None, queries.Counts(1, 1, 0, 0, 0))


def test_what_was_processed_before_it_could_be_withdrawn_is_done(redis: RedisClient) -> None:
    def publish_all(messages: Sequence[Message]) -> list[Transient | None]:
        Worker(redis).commit(found(0, 1))  # its bytes were sent by someone else, too
        return [FULL, FULL]

    assert accept_and_publish_all(redis, publish_all, None, offers(0, 1)) == [False, FULL]
    assert queries.counts(redis) == queries.Counts(1, 1, 0, 0, 0)


def test_an_original_that_cannot_be_stored_refuses_its_picture_alone(
    redis: RedisClient, tmp_path: Path
) -> None:
    full = ImageStoreError("no space is left")

    class Filling(ImageStore):
        def put(self, picture_id: str, data: PictureBytes) -> None:
            if picture_id == picture(1):
                raise full
            super().put(picture_id, data)
            if picture_id == picture(2):
                erase(redis, picture_id)

    store, broker = Filling(tmp_path.as_uri()), Broker(None, None, FULL)
    outcomes = accept_and_publish_all(redis, broker.publish_all, store, offers(0, 1, 2, 3, data=b"x"))
    assert outcomes == [True, full, True, FULL]
    assert broker.queue == [picture(0), picture(2)]
    assert [store.has(picture(number)) for number in range(4)] == [True, False, False, False]
    assert queries.counts(redis).unaccounted == 0
    assert Worker(redis).commit(found(2, 1)) == [Outcome.GONE]


def lost_at(monkeypatch: pytest.MonkeyPatch, transaction: int, *, arrived: bool) -> None:
    """Lose the reply to a transaction, or the transaction itself; all that follow go through."""
    send, seen = Session.commit, [0]

    def commit(session: Session, *commands: Any) -> Any:
        seen[0] += 1
        if seen[0] != transaction:
            return send(session, *commands)
        if arrived:
            send(session, *commands)
        raise StoreError("the connection was reset")

    monkeypatch.setattr(Session, "commit", commit)


@pytest.mark.parametrize("arrived", [True, False])
def test_redis_lost_while_accepting_publishes_nothing_and_sending_again_is_safe(
    redis: RedisClient, monkeypatch: pytest.MonkeyPatch, *, arrived: bool
) -> None:
    broker = Broker()
    lost_at(monkeypatch, 1, arrived=arrived)
    outcomes = accept_and_publish_all(redis, broker.publish_all, None, offers(0, 1))
    assert [type(one) for one in outcomes] == [StoreError, StoreError]
    assert broker.queue == []
    assert consistent(redis)
    assert accept_and_publish_all(redis, broker.publish_all, None, offers(0, 1)) == [True, True]
    assert broker.queue == [picture(0), picture(1)]
    Worker(redis).commit(found(0, 1), found(1, 2))
    assert queries.counts(redis) == queries.Counts(2, 2, 0, 0, 0)
    assert consistent(redis)


@pytest.mark.parametrize("arrived", [True, False])
def test_redis_lost_while_withdrawing_leaves_pictures_in_flight_or_nothing(
    redis: RedisClient, monkeypatch: pytest.MonkeyPatch, *, arrived: bool
) -> None:
    lost_at(monkeypatch, 2, arrived=arrived)
    outcomes = accept_and_publish_all(redis, Broker(FULL, None, FULL).publish_all, None, offers(0, 1, 2))
    assert [type(one) for one in outcomes] == [StoreError, bool, StoreError]
    assert queries.counts(redis).in_flight == (1 if arrived else 3)  # `reconcile` finds the two
    assert consistent(redis)


def interfere(redis: RedisClient, step: str) -> None:
    """What somebody else does with the first picture."""
    match step:
        case "erased":
            erase(redis, picture(0))
        case "done":
            Worker(redis).commit(found(0, 1))
        case _:
            accept(redis, picture(0), "other")


@pytest.mark.parametrize("step", ["erased", "done", "sent"])
def test_a_transaction_that_others_were_faster_than_is_tried_again(
    redis: RedisClient, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    accept(redis, picture(0), "first")
    send = Session.commit

    def commit(session: Session, *commands: Any) -> Any:
        monkeypatch.setattr(Session, "commit", send)
        interfere(redis, step)
        return send(session, *commands)

    monkeypatch.setattr(Session, "commit", commit)
    broker = Broker()
    outcomes = accept_and_publish_all(redis, broker.publish_all, None, offers(0, 1))
    assert outcomes == [step != "done", True]
    Worker(redis).commit(found(0, 1), found(1, 2))
    counts = queries.counts(redis)
    assert (counts.done, counts.unaccounted, counts.in_flight) == (2, 0, 0)
    assert read_all(redis).names["name 0"] == picture(0)
    assert consistent(redis)
