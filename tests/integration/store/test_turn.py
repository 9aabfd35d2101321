"""Turns: the line before the transaction."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Collection, Iterable, Sequence
from itertools import count
from typing import Any

import pytest

from faces.config import Settings
from faces.store import turn
from faces.store.commit import CatchUp, commit
from faces.store.intake import accept
from faces.store.journal import Entry
from faces.store.link import Link
from tests.integration.store.test_commit import Worker, found, picture


def tokens(link: Link) -> int:
    (length,) = link.ask((0, "LLEN", "turn"))
    return int(length)


def test_the_turn_is_given_back_with_the_commit_and_without_one(link: Link) -> None:
    worker = Worker(link)
    accept(link, picture(0), "a")
    for _ in range(2):  # done, then known already
        worker.commit(found(0, 1))
        assert tokens(link) == 1


def test_a_turn_that_was_lost_is_replaced_once(link: Link) -> None:
    worker = Worker(link)
    turn.take(link)  # and never given back
    for number in range(3):
        accept(link, picture(number), str(number))
        worker.commit(found(number, 1))
        assert tokens(link) == 1


def quick(settings: Settings, first: int, stop: Any) -> None:
    worker = Worker(Link(settings))
    while not stop.is_set():
        accept(worker.link, picture(first), str(first))
        worker.commit(found(first, first % 5))
        first += 1


def slowed(catch_up: CatchUp) -> CatchUp:
    tries = count()

    def slowly(tail: Sequence[Entry], ours: Collection[str]) -> Sequence[Iterable[str]]:
        assert next(tries) < 10
        time.sleep(0.05)
        return catch_up(tail, ours)

    return slowly


def test_a_slow_worker_gets_its_turn_among_quick_ones(
    link: Link, store_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turn, "PATIENCE", 3)
    slow = Worker(link)
    fork = multiprocessing.get_context("fork")
    stop = fork.Event()
    racers = [fork.Process(target=quick, args=(store_settings, n * 10_000, stop)) for n in (1, 2, 3)]
    for racer in racers:
        racer.start()
    retries = []
    try:
        for number in range(5):
            accept(link, picture(number), str(number))
            ours = [found(number, 1)]
            catch_up = slowed(slow.known.compare(ours).catch_up)
            committed = commit(link, ours, slow.basis, lambda: slow.known.place, catch_up)
            slow.known.add_committed(ours)
            retries.append(committed.retries)
    finally:
        stop.set()
        for racer in racers:
            racer.join()
    assert sum(retries) <= 5
