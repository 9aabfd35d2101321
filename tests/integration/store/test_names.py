"""A name belongs to the picture that it was last sent with."""

from __future__ import annotations

from faces.store.client import RedisClient
from faces.store.pictures.accept import accept
from tests.support.committing import Worker, found, picture
from tests.support.rules import faults, read_all


def test_a_name_belongs_to_the_picture_it_was_last_sent_with_whichever_is_done_last(
    redis: RedisClient,
) -> None:
    accept(redis, picture(0), "portrait")
    accept(redis, picture(1), "portrait")
    worker = Worker(redis)
    worker.commit(found(1, 1))
    worker.commit(found(0, 2))
    assert read_all(redis).names == {"portrait": picture(1)}
    assert faults(read_all(redis)) == []


def test_a_name_moves_within_a_batch_as_it_was_sent(redis: RedisClient) -> None:
    accept(redis, picture(0), "portrait")
    accept(redis, picture(1), "portrait")
    Worker(redis).commit(found(1, 1), found(0, 2))
    assert read_all(redis).names == {"portrait": picture(1)}
    assert faults(read_all(redis)) == []


def test_a_name_sent_again_with_a_known_picture_moves_at_once(redis: RedisClient) -> None:
    accept(redis, picture(0), "a")
    accept(redis, picture(1), "b")
    Worker(redis).commit(found(0, 1), found(1, 1))
    assert accept(redis, picture(1), "a").known
    state = read_all(redis)
    assert state.names == {"a": picture(1), "b": picture(1)}
    assert picture(0) not in state.hashes
    assert faults(state) == []


def test_an_older_sending_does_not_take_a_name_back_from_a_known_picture(redis: RedisClient) -> None:
    accept(redis, picture(1), "b")
    Worker(redis).commit(found(1, 1))
    accept(redis, picture(0), "a")  # waits in the queue
    accept(redis, picture(1), "a")  # sent later, known, settled at once
    Worker(redis).commit(found(0, 1))
    assert read_all(redis).names == {"a": picture(1), "b": picture(1)}


def test_the_order_of_names_is_forgotten_when_nothing_older_can_come(redis: RedisClient) -> None:
    for number in range(20):
        accept(redis, picture(number), str(number))
        Worker(redis).commit(found(number))
    assert redis.ask((0, "ZCARD", "order"))[0] <= 1
