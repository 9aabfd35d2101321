"""Turns: the line before the transaction."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Collection, Sequence
from itertools import count
from typing import Any

import pytest

from faces.config import Settings
from faces.store.client import RedisClient
from faces.store.collection import commit_lock
from faces.store.collection.journal import Entry
from faces.store.pictures.accept import accept
from faces.store.pictures.commit import CatchUp, commit
from tests.support.committing import Worker, found, picture


def tokens(redis: RedisClient) -> int:
    (length,) = redis.ask((0, "LLEN", "turn"))
    return int(length)


def test_the_turn_is_given_back_with_the_commit_and_without_one(redis: RedisClient) -> None:
    worker = Worker(redis)
    accept(redis, picture(0), "a")
    for _ in range(2):  # done, then known already
        worker.commit(found(0, 1))
        assert tokens(redis) == 1


def test_a_turn_that_was_lost_is_replaced_once(redis: RedisClient) -> None:
    worker = Worker(redis)
    commit_lock.take(redis)  # and never given back
    for number in range(3):
        accept(redis, picture(number), str(number))
        worker.commit(found(number, 1))
        assert tokens(redis) == 1


def quick(settings: Settings, first: int, stop: Any) -> None:
    worker = Worker(RedisClient(settings))
    while not stop.is_set():
        accept(worker.redis, picture(first), str(first))
        worker.commit(found(first, first % 5))
        first += 1


def slowed(catch_up: CatchUp) -> CatchUp:
    tries = count()

    def slowly(tail: Sequence[Entry], ours: Collection[str]) -> Sequence[Collection[str]]:
        assert next(tries) < 10
        time.sleep(0.05)
        return catch_up(tail, ours)

    return slowly


def test_a_slow_worker_gets_its_turn_among_quick_ones(
    redis: RedisClient, store_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commit_lock, "PATIENCE", 3)
    slow = Worker(redis)
    fork = multiprocessing.get_context("fork")
    stop = fork.Event()
    racers = [fork.Process(target=quick, args=(store_settings, n * 10_000, stop)) for n in (1, 2, 3)]
    for racer in racers:
        racer.start()
    retries = []
    try:
        for number in range(5):
            accept(redis, picture(number), str(number))
            ours = [found(number, 1)]
            catch_up = slowed(slow.known.compare(ours).catch_up)
            committed = commit(redis, ours, slow.data_version, lambda: slow.known.place, catch_up)
            slow.known.add_committed(ours, committed.mark)
            retries.append(committed.retries)
    finally:
        stop.set()
        for racer in racers:
            racer.join()
    assert sum(retries) <= 5


def test_the_turn_can_be_held_for_a_while(redis: RedisClient) -> None:
    Worker(redis)
    with commit_lock.held(redis):
        assert tokens(redis) == 0
    assert tokens(redis) == 1
