"""A second model beside the one in use; and what an edge rests on."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from faces.errors import MismatchError
from faces.store.client import RedisClient
from faces.store.collection import models
from faces.store.collection.data_version import DataVersion, agree
from faces.store.pictures.accept import accept
from faces.store.pictures.erase import erase
from faces.store.pictures.evidence import evidence
from tests.support.committing import Worker, face, found, picture
from tests.support.rebuilding import filled, run
from tests.support.rules import faults, read_all
from worker.index.face_index import vectors

NEXT = DataVersion("next", 0.6)


def missing(redis: RedisClient) -> set[str]:
    return {one for piece in models.missing(redis) for one in piece}


def test_the_fleet_goes_over_to_another_model(each_link: RedisClient) -> None:
    worker = filled(each_link, 0, 6)
    before = read_all(each_link)
    for number in range(5):
        assert models.put(each_link, picture(number), "next", [face(number % 2), face(90 + number)])
    assert read_all(each_link) == before
    assert missing(each_link) == {picture(5)}
    with pytest.raises(MismatchError, match="encode the pictures first"):
        run(each_link, NEXT)
    models.put(each_link, picture(5), "next", [face(1), face(95)])
    erase(each_link, picture(0))
    run(each_link, NEXT)
    state = read_all(each_link)
    assert faults(state) == []
    assert state.encodings.keys() == {picture(number) for number in range(1, 6)}
    assert state.matches[picture(1)] == {picture(3), picture(5)}
    agree(each_link, NEXT)
    assert each_link.ask((5, "DBSIZE"), (6, "DBSIZE"), (0, "HEXISTS", "meta", "next")) == [0, 0, 0]
    accept(each_link, picture(9), "late")
    with pytest.raises(MismatchError, match="model next"):
        worker.commit(found(9, 1))


def test_models_are_not_mixed(redis: RedisClient) -> None:
    filled(redis, 0, 2)
    with pytest.raises(MismatchError, match="there are no encodings of model next"):
        run(redis, NEXT)
    with pytest.raises(MismatchError, match="in use"):
        models.put(redis, picture(0), "test", [face(1), face(2)])
    models.put(redis, picture(0), "next", [face(1), face(2)])
    with pytest.raises(MismatchError, match="next is being gathered"):
        models.put(redis, picture(1), "third", [face(1), face(2)])
    assert not models.put(redis, picture(1), "next", [face(1)])
    assert not models.put(redis, picture(7), "next", [face(1)])


def test_erasing_leaves_nothing_of_the_next_model(redis: RedisClient) -> None:
    filled(redis, 0, 1)
    models.put(redis, picture(0), "next", [face(1), face(2)])
    erase(redis, picture(0))
    assert redis.ask((6, "DBSIZE"), (3, "DBSIZE")) == [0, 0]


def test_evidence_names_faces_boxes_and_what_they_were_compared_with(redis: RedisClient) -> None:
    worker = Worker(redis)
    for number in range(3):
        accept(redis, picture(number), f"name {number}")
        faces = [{"box": {"left": number, "face": n}} for n in range(2)]
        worker.commit(replace(found(number, 1, 10 + number), faces=faces))
    shown = evidence(redis, picture(0))
    assert (shown.model, shown.tolerance) == ("test", 0.6)
    assert {match.picture: match.names for match in shown.matches} == {
        picture(1): ["name 1"],
        picture(2): ["name 2"],
    }
    assert shown.picture.boxes == [{"left": 0, "face": 0}, {"left": 0, "face": 1}]
    one, other = vectors(shown.picture.encodings), vectors(shown.matches[0].encodings)
    near = np.argwhere(np.linalg.norm(one[:, None] - other, axis=2) <= shown.tolerance)
    assert near.tolist() == [[0, 0]]
    assert evidence(redis, picture(9)).matches == []
