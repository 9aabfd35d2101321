"""The thread that keeps the odds up to date."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from faces.errors import StoreError
from faces.store.client import RedisClient
from faces.store.collection import odds as store_odds
from local.process import until
from tests.support.writing import Writer
from worker import odds
from worker.odds import OddsKeeper


@contextmanager
def keeping(redis: RedisClient) -> Iterator[None]:
    stopping = threading.Event()
    OddsKeeper(redis, stopping).start()
    try:
        yield
    finally:
        stopping.set()
        assert until(lambda: not any(thread.name == "odds" for thread in threading.enumerate()), 60)


def pictures_measured(redis: RedisClient) -> int:
    found = store_odds.read(redis)
    return found.pictures if found else 0


def test_the_odds_follow_the_collection(redis: RedisClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(odds, "INTERVAL", 0.02)
    writer = Writer(redis)
    writer.add(*range(5))
    with keeping(redis):
        assert until(lambda: pictures_measured(redis) == 5, 60)
        writer.add(*range(5, 10))
        assert until(lambda: pictures_measured(redis) == 10, 60)


def test_it_goes_on_when_redis_was_away(redis: RedisClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(odds, "INTERVAL", 0.02)
    Writer(redis).add(1)
    refresh, failures = store_odds.refresh, iter([StoreError("away")])

    def sometimes(redis: RedisClient) -> bool:
        for error in failures:
            raise error
        return refresh(redis)

    monkeypatch.setattr(store_odds, "refresh", sometimes)
    with keeping(redis):
        assert until(lambda: pictures_measured(redis) == 1, 60)
