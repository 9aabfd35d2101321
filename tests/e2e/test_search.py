"""Searching by a picture that is not stored, on a real server and worker."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator

import pytest
import requests

from local.process import until
from local.rabbitmq import RabbitServer
from local.redis import RedisServer
from tests.e2e.conftest import SECONDS, Fleet, fleet_on
from tests.support.drawing import drawing
from tests.support.processes.workers import quick_worker


@pytest.fixture(scope="module")
def server(
    redis_server: RedisServer, rabbit_server: RabbitServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Fleet]:
    """A server without a worker, which it has from the first test on that wants one."""
    with fleet_on(redis_server, rabbit_server, tmp_path_factory.mktemp("fleet")) as fleet:
        fleet.start_all(workers=0)
        yield fleet


@pytest.fixture(scope="module")
def quick_fleet(server: Fleet, tmp_path_factory: pytest.TempPathFactory) -> Fleet:
    """A server, and a worker whose engine takes pictures of one height for one face."""
    quick_worker(server, tmp_path_factory.mktemp("worker"))
    assert until(lambda: search(server, drawing(1)).ok, SECONDS), server.processes[-1].last_lines()
    return server


def search(fleet: Fleet, data: bytes, query: str = "", kind: str = "image/jpeg") -> requests.Response:
    url = f"{fleet.url}/v1/search{query}"
    return requests.post(url, data=data, headers={"Content-Type": kind}, timeout=60)


def test_without_a_worker_the_search_says_so(server: Fleet) -> None:
    answer = search(server, drawing(1, (63, 90)))
    assert (answer.status_code, answer.json()["code"]) == (503, "no_worker")


def test_a_picture_finds_those_that_show_its_face_and_is_not_stored(quick_fleet: Fleet) -> None:
    hashes = [quick_fleet.scan(drawing(1, (width, 90)), f"{width}") for width in (60, 61, 62)]
    other = quick_fleet.scan(drawing(1, (60, 91)), "other")
    quick_fleet.wait()
    answer = search(quick_fleet, drawing(1, (63, 90)))
    assert answer.status_code == 200, answer.text
    (face,) = answer.json()["faces"]
    assert {match["hash"] for match in face["matches"]} == set(hashes)
    assert other not in {match["hash"] for match in face["matches"]}
    first = face["matches"][0]
    assert first["distance"] == pytest.approx(0)
    assert first["names"][0] in {"60", "61", "62"}
    assert first["box"]["right"] in {59, 60, 61}
    assert quick_fleet.settled()
    assert len(search(quick_fleet, drawing(1, (63, 90)), "?limit=2").json()["faces"][0]["matches"]) == 2


def test_the_encodings_of_what_is_searched_by_are_told_to_those_who_ask(quick_fleet: Fleet) -> None:
    picture = drawing(1, (60, 90))
    one = quick_fleet.scan(picture, "one")
    quick_fleet.wait()
    (stored,) = quick_fleet.redis.ask((3, "LINDEX", one, 0))
    (face,) = search(quick_fleet, picture, "?encodings=true").json()["faces"]
    assert face["encoding"] == pytest.approx(struct.unpack("<128f", stored))
    assert "encoding" not in search(quick_fleet, picture).json()["faces"][0]


def test_an_encoding_finds_the_same(quick_fleet: Fleet) -> None:
    one = quick_fleet.scan(drawing(1, (60, 95)), "one")
    quick_fleet.wait()
    (stored,) = quick_fleet.redis.ask((3, "LINDEX", one, 0))
    body = json.dumps({"encoding": struct.unpack("<128f", stored)}).encode()
    (face,) = search(quick_fleet, body, kind="application/json").json()["faces"]
    assert [match["hash"] for match in face["matches"]] == [one]


@pytest.mark.parametrize(
    ("body", "kind", "status", "code"),
    [
        (b"no picture", "image/jpeg", 415, "not_a_picture"),
        (b'{"encoding": [1]}', "application/json", 400, "bad_request"),
        (b'{"encoding": [' + b"NaN," * 127 + b"NaN]}", "application/json", 400, None),
    ],
)
def test_what_cannot_be_searched_for_is_refused(
    quick_fleet: Fleet, body: bytes, kind: str, status: int, code: str | None
) -> None:
    answer = search(quick_fleet, body, kind=kind)
    assert answer.status_code == status, answer.text
    assert code is None or answer.json()["code"] == code
