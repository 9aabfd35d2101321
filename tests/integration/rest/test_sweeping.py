"""An original whose picture was erased or withdrawn by a server that died does not stay."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from faces.image_store.pictures import ImageStore
from faces.store.client import RedisClient
from faces.store.pictures.accept import accept
from faces.store.pictures.erase import erase
from faces.store.pictures.withdraw import withdraw
from local.process import until
from rest import sweeping
from rest.sweeping import Sweeper
from tests.support.writing import picture

LATER = 3600.0


@pytest.fixture
def image_store(tmp_path: Path) -> ImageStore:
    """Originals of three pictures."""
    kept = ImageStore(tmp_path.as_uri())
    for number in range(3):
        kept.put(picture(number), b"original")
    return kept


@pytest.fixture
def sweeper(redis: RedisClient, image_store: ImageStore) -> Sweeper:
    return Sweeper(redis, image_store)


def test_what_was_erased_or_withdrawn_is_removed_and_the_rest_is_not(
    redis: RedisClient, image_store: ImageStore, sweeper: Sweeper
) -> None:
    receipts = [accept(redis, picture(number), str(number)) for number in range(3)]
    image_store.put_crops(picture(0), [b"face"])
    erase(redis, picture(0))
    withdraw(redis, receipts[1])
    assert sorted(sweeper.sweep(time.time() + LATER)) == sorted([picture(0), picture(1)])
    assert [image_store.has(picture(number)) for number in range(3)] == [False, False, True]
    assert not image_store.has_crops(picture(0))


def test_a_picture_that_was_sent_again_keeps_its_original(
    redis: RedisClient, image_store: ImageStore, sweeper: Sweeper
) -> None:
    accept(redis, picture(0), "a")
    erase(redis, picture(0))
    accept(redis, picture(0), "a")
    assert sweeper.sweep(time.time() + LATER) == []
    assert image_store.has(picture(0))


def test_whoever_erases_has_time_to_do_it_and_each_event_is_seen_once(
    redis: RedisClient, image_store: ImageStore, sweeper: Sweeper
) -> None:
    accept(redis, picture(0), "a")
    erase(redis, picture(0))
    assert sweeper.sweep(time.time() - LATER) == []
    assert image_store.has(picture(0))
    assert sweeper.sweep(time.time() + LATER) == [picture(0)]
    image_store.put(picture(0), b"original")
    assert sweeper.sweep(time.time() + LATER) == []


def test_it_looks_by_itself(
    redis: RedisClient, image_store: ImageStore, sweeper: Sweeper, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "EVERY", 0.05)
    monkeypatch.setattr(sweeping, "AGE", -LATER)
    accept(redis, picture(0), "a")
    erase(redis, picture(0))
    sweeper.start()
    assert until(lambda: not image_store.has(picture(0)), 60)
    sweeper.close()
