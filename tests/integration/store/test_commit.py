"""The transaction, on each kind of server."""

from __future__ import annotations

import multiprocessing
from collections.abc import Collection, Sequence

import pytest

from faces.config import Settings
from faces.errors import MismatchError, StoreError
from faces.store.client import Command, RedisClient, Session
from faces.store.collection import commit_lock, journal
from faces.store.collection.journal import Entry
from faces.store.pictures import queries
from faces.store.pictures.accept import accept
from faces.store.pictures.commit import commit
from faces.store.pictures.erase import erase
from faces.store.pictures.fail import fail
from faces.store.pictures.outcome import Outcome
from tests.support.committing import Worker, found, picture
from tests.support.rules import faults, read_all


def test_a_picture_is_in_all_databases_with_its_matches(each_link: RedisClient) -> None:
    worker = Worker(each_link)
    for number, name in enumerate(["a", "b", "c"]):
        accept(each_link, picture(number), name)
    assert worker.commit(found(0, 1)) == [Outcome.DONE]
    assert worker.commit(found(1, 2, 1), found(2, 3)) == [Outcome.DONE, Outcome.DONE]
    state = read_all(each_link)
    assert faults(state) == []
    assert state.names == {"a": picture(0), "b": picture(1), "c": picture(2)}
    assert state.matches == {picture(0): {picture(1)}, picture(1): {picture(0)}}
    assert [len(state.encodings[picture(n)]) for n in range(3)] == [1, 2, 1]
    assert queries.matching_names(each_link, picture(0)) == ["b"]
    assert worker.known.position == 3


def test_pictures_of_one_batch_match_each_other(each_link: RedisClient) -> None:
    for number in range(3):
        accept(each_link, picture(number), str(number))
    Worker(each_link).commit(found(0, 1), found(1, 1), found(2, 1))
    assert read_all(each_link).matches[picture(0)] == {picture(1), picture(2)}
    assert faults(read_all(each_link)) == []


def test_a_picture_without_faces_is_done(redis: RedisClient) -> None:
    accept(redis, picture(0), "empty street")
    assert Worker(redis).commit(found(0)) == [Outcome.DONE]
    (status,) = queries.statuses(redis, [picture(0)])
    assert status is not None
    assert (status.state, status.faces) == ("done", [])
    assert read_all(redis).names == {"empty street": picture(0)}


def test_what_others_committed_after_the_comparison_is_matched_too(redis: RedisClient) -> None:
    for number in range(2):
        accept(redis, picture(number), str(number))
    slow, quick = Worker(redis), Worker(redis)
    ours = [found(0, 1)]
    comparison = slow.known.compare(ours)
    quick.commit(found(1, 1))
    commit(redis, ours, slow.data_version, lambda: slow.known.place, comparison.catch_up)
    assert read_all(redis).matches == {picture(0): {picture(1)}, picture(1): {picture(0)}}


def test_a_commit_between_watch_and_exec_makes_it_try_again(redis: RedisClient) -> None:
    for number in range(2):
        accept(redis, picture(number), str(number))
    slow, quick = Worker(redis), Worker(redis)
    ours = [found(0, 1)]
    comparison = slow.known.compare(ours)
    rivals = [found(1, 1)]

    def catch_up(tail: Sequence[Entry], ours: Collection[str]) -> Sequence[Collection[str]]:
        edges = comparison.catch_up(tail, ours)
        if rivals:
            quick.commit(rivals.pop())
        return edges

    committed = commit(redis, ours, slow.data_version, lambda: slow.known.place, catch_up)
    assert committed.retries == 1
    assert faults(read_all(redis)) == []
    assert read_all(redis).matches[picture(0)] == {picture(1)}


@pytest.mark.parametrize("others", [0, 1, 3], ids=["shorter", "as long", "longer"])
@pytest.mark.parametrize("followed", [True, False], ids=["before", "within"])
def test_a_worker_ahead_of_a_redis_that_lost_writes_commits_nothing(
    redis: RedisClient, others: int, *, followed: bool
) -> None:
    for number in range(8):
        accept(redis, picture(number), str(number))
    ahead = Worker(redis)
    ahead.commit(found(0, 1))
    ahead.commit(found(1, 1))
    comparison = ahead.known.compare([found(2, 1)])
    erase(redis, picture(1))
    redis.ask((0, "LTRIM", "journal", 0, 0))  # as a replica has it that never heard of the second picture
    for number in range(others):
        Worker(redis).commit(found(3 + number, 1))
    before = read_all(redis)
    commit_now = ahead.commit if followed else lambda one: ahead.commit_with([one], comparison.catch_up)
    with pytest.raises(MismatchError, match="lost writes"):
        commit_now(found(2, 1))
    assert read_all(redis) == before


@pytest.mark.parametrize("ours", [True, False], ids=["own commit", "followed"])
def test_a_journal_that_forked_is_noticed_whatever_came_after(redis: RedisClient, *, ours: bool) -> None:
    """The last line is the same again, on another way there."""
    for number in range(4):
        accept(redis, picture(number), str(number))
    first, second = Worker(redis), Worker(redis)
    for number in (0, 1):
        (first if ours else second).commit(found(number, 1))
    first.known.follow(redis)
    for number in (0, 1):
        erase(redis, picture(number))
        accept(redis, picture(number), str(number))
    redis.ask((0, "DEL", "journal", "journal:marks"))  # a replica takes over that has neither
    other = Worker(redis)
    other.commit(found(2, 1))
    other.commit(found(1, 1))
    (lines,) = redis.ask((0, "LRANGE", "journal", 0, -1))
    assert lines[1:] == [first.known.place.line]
    with pytest.raises(MismatchError, match="lost writes"):
        first.commit(found(3, 1))


def test_what_becomes_of_pictures_while_their_worker_waits_for_its_turn_counts(
    redis: RedisClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        accept(redis, picture(number), str(number))

    def wait(redis: RedisClient) -> list[Command]:
        fail(redis, picture(0), "truncated", "the file ends too early")
        erase(redis, picture(1))
        erase(redis, picture(2))
        accept(redis, picture(2), "again")
        return take(redis)

    take = commit_lock.take
    monkeypatch.setattr(commit_lock, "take", wait)
    outcomes = Worker(redis).commit(*(found(number, 1) for number in range(4)))
    assert outcomes == [Outcome.ALREADY, Outcome.GONE, Outcome.DONE, Outcome.DONE]
    state = read_all(redis)
    assert faults(state) == []
    assert state.names == {"again": picture(2), "3": picture(3)}
    failed, gone, again, done = queries.statuses(redis, [picture(number) for number in range(4)])
    assert gone is None
    assert failed is not None
    assert failed.code == "truncated"
    assert again is not None
    assert done is not None
    assert again.accepted > done.accepted


def test_a_second_delivery_changes_nothing(redis: RedisClient) -> None:
    accept(redis, picture(0), "a")
    Worker(redis).commit(found(0, 1))
    before = read_all(redis)
    assert Worker(redis).commit(found(0, 1)) == [Outcome.ALREADY]
    assert read_all(redis) == before


def test_a_picture_that_nobody_accepted_is_not_committed(redis: RedisClient) -> None:
    accept(redis, picture(1), "b")
    outcomes = Worker(redis).commit(found(0, 1), found(1, 1))
    assert outcomes == [Outcome.GONE, Outcome.DONE]
    state = read_all(redis)
    assert state.encodings.keys() == {picture(1)}
    assert faults(state) == []


def test_a_lost_reply_to_exec_is_safe_to_repeat(redis: RedisClient, monkeypatch: pytest.MonkeyPatch) -> None:
    accept(redis, picture(0), "a")
    worker = Worker(redis)
    send = Session.commit

    def lose_the_reply(session: Session, *commands: object) -> None:
        send(session, *commands)  # type: ignore[arg-type]  # passed on as they came
        raise StoreError("the reply was lost")

    monkeypatch.setattr(Session, "commit", lose_the_reply)
    with pytest.raises(StoreError):
        worker.commit(found(0, 1))
    monkeypatch.undo()
    assert worker.commit(found(0, 1)) == [Outcome.ALREADY]
    assert faults(read_all(redis)) == []
    assert (queries.counts(redis).done, len(worker.known)) == (1, 1)


def test_a_damaged_journal_is_an_error_that_says_so(redis: RedisClient) -> None:
    redis.ask((0, "RPUSH", "journal", b"?" + bytes(32)))
    with pytest.raises(StoreError, match="damaged line"):
        journal.read(redis, 0, 10)


def race(settings: Settings, first: int, last: int, start: object) -> None:
    """A worker process that commits pictures of the same four people, one or two at a time."""
    worker = Worker(RedisClient(settings))
    start.wait()  # type: ignore[attr-defined]  # a multiprocessing barrier
    for number in range(first, last, 2):
        worker.commit(found(number, number % 4), found(number + 1, (number + 1) % 4))


@pytest.mark.parametrize("workers", [2, 4])
def test_workers_that_race_on_the_same_people_lose_no_pair(
    redis: RedisClient, store_settings: Settings, workers: int
) -> None:
    each = 60
    for number in range(workers * each):
        accept(redis, picture(number), str(number))
    context = multiprocessing.get_context("spawn")
    start = context.Barrier(workers + 1)
    racers = [
        context.Process(target=race, args=(store_settings, n * each, (n + 1) * each, start))
        for n in range(workers)
    ]
    for racer in racers:
        racer.start()
    start.wait()
    seen = 0
    while any(racer.is_alive() for racer in racers):
        assert faults(read_all(redis)) == []
        seen += 1
    state = read_all(redis)
    assert [racer.exitcode for racer in racers] == [0] * workers
    assert len(state.encodings) == workers * each
    assert all(len(matching) == workers * each // 4 - 1 for matching in state.matches.values())
    assert faults(state) == []
    assert seen > 1
