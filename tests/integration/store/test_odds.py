"""Odds measured from what is in Redis."""

from __future__ import annotations

import numpy as np
import pytest

from faces.odds import Odds
from faces.store.client import RedisClient
from faces.store.collection import odds
from faces.store.collection.data_version import DataVersion, agree
from faces.store.keys import MEASURING, ODDS
from tests.support.writing import picture

MODEL = "dlib-resnet-v1-mirror"
EACH = 4


def collect(redis: RedisClient, people: range) -> None:
    """Four pictures each of people who are about 0.4 apart from themselves and 1.1 from others."""
    for person in people:
        random = np.random.default_rng(person)
        centre = random.normal(size=128) * 0.75 / np.sqrt(128)
        faces = centre + random.normal(size=(EACH, 128)) * 0.29 / np.sqrt(128)
        ids = [picture(EACH * person + n) for n in range(EACH)]
        for one, face in zip(ids, faces, strict=True):
            redis.ask((3, "RPUSH", one, face.astype("<f4").tobytes()))
            redis.ask((4, "SADD", one, *(set(ids) - {one})))


@pytest.fixture
def collection(redis: RedisClient) -> RedisClient:
    agree(redis, DataVersion(MODEL, 0.5))
    collect(redis, range(50))
    return redis


def test_the_sample_tells_how_many_faces_a_person_has(collection: RedisClient) -> None:
    assert odds.read(collection) is None
    assert odds.refresh(collection)
    found = odds.read(collection)
    assert found is not None
    assert (found.model, found.pictures, found.faces) == (MODEL, 50 * EACH, 50 * EACH)
    assert found.same == pytest.approx(EACH - 1, rel=0.3)
    assert found.probability(0.4) > 0.95


def test_they_are_measured_anew_after_a_tenth_of_growth(collection: RedisClient) -> None:
    assert odds.refresh(collection)
    collect(collection, range(50, 55))
    assert not odds.refresh(collection)
    collect(collection, range(55, 56))
    assert odds.refresh(collection)
    found = odds.read(collection)
    assert found is not None
    assert found.pictures == 56 * EACH


def test_one_process_measures_at_a_time(collection: RedisClient) -> None:
    collection.ask((0, "SET", MEASURING, 1))
    assert not odds.refresh(collection)
    assert odds.read(collection) is None


def test_an_empty_collection_has_none(redis: RedisClient) -> None:
    assert not odds.refresh(redis)
    agree(redis, DataVersion(MODEL, 0.5))
    assert not odds.refresh(redis)
    assert odds.measure(redis, MODEL, 0.5) is None


def test_odds_of_another_model_or_version_do_not_count(collection: RedisClient) -> None:
    odds.keep(collection, Odds("other", 1, 1.0, 1.0, 1.0))
    assert odds.read(collection) is None
    collection.ask((0, "SET", ODDS, '{"model": "dlib-resnet-v1-mirror"}'))
    assert odds.read(collection) is None
    assert odds.refresh(collection)
