"""`POST /v1/compare`."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from flask.testing import FlaskClient

from faces.odds import Odds
from faces.store.client import RedisClient
from faces.store.collection import odds
from faces.store.pictures.accept import accept
from faces.store.pictures.commit import DetectionResult
from tests.support.committing import Worker, face, found, picture
from tests.support.sent import FACE, SMALL
from tests.support.server import problem


@pytest.fixture
def done(redis: RedisClient) -> None:
    """Pictures 0 and 1 show person 1, 2 shows person 2, 3 nobody; 4 is pending."""
    for number in range(5):
        accept(redis, picture(number), str(number))
    small_first = DetectionResult(picture(1), [SMALL, FACE], (face(1, 1),))
    Worker(redis).commit(DetectionResult(picture(0), [FACE], (face(1),)), small_first, found(2, 2), found(3))


def side(number: int) -> dict[str, Any]:
    return {"hash": picture(number)}


@pytest.mark.usefixtures("done")
def test_two_pictures_of_one_person_and_of_two(client: FlaskClient) -> None:
    same = client.post("/v1/compare", json={"first": side(0), "second": side(1)}).get_json()
    ours, theirs = (np.frombuffer(face(1, n), "<f4").astype(float) for n in (0, 1))
    assert same["distance"] == pytest.approx(float(np.linalg.norm(ours - theirs)))
    assert (same["same"], same["tolerance"], same["model"]) == (True, 0.6, "test")
    assert [(pair["first"], pair["second"]) for pair in same["pairs"]] == [(0, 1)]
    other = client.post("/v1/compare", json={"first": side(0), "second": side(2)}).get_json()
    assert other["same"] is False
    narrow = {"first": side(0), "second": side(1), "tolerance": same["distance"] / 2}
    assert client.post("/v1/compare", json=narrow).get_json()["same"] is False


@pytest.mark.usefixtures("done")
def test_the_chance_comes_from_the_odds_of_the_collection(client: FlaskClient, redis: RedisClient) -> None:
    asked = {"first": side(0), "second": side(1)}
    assert client.post("/v1/compare", json=asked).get_json()["probability"] is None
    measured = Odds("test", 3, 5.0, 1.0, 1.0)
    odds.keep(redis, measured)
    compared = client.post("/v1/compare", json=asked).get_json()
    assert compared["probability"] == pytest.approx(measured.probability(compared["distance"]))
    assert 0.5 < compared["probability"] <= 1


@pytest.mark.usefixtures("done")
def test_a_face_by_its_encoding(client: FlaskClient) -> None:
    encoding = {"encoding": list(struct.unpack("<128f", face(1)))}
    compared = client.post("/v1/compare", json={"first": encoding, "second": side(0)}).get_json()
    assert (compared["same"], compared["distance"]) == (True, 0.0)


@pytest.mark.usefixtures("done")
@pytest.mark.parametrize(
    ("second", "expected"),
    [
        (side(3), (422, "no_face")),
        (side(4), (409, "not_finished")),
        (side(9), (404, "not_found")),
        ({}, (400, "bad_request")),
        ({"encoding": [0.0] * 127}, (400, "bad_request")),
        ({"hash": "nonsense"}, (400, "bad_request")),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_cannot_be_compared(client: FlaskClient, second: Any, expected: tuple[int, str]) -> None:
    assert problem(client.post("/v1/compare", json={"first": side(0), "second": second})) == expected
