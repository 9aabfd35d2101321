"""The routes, on a real Redis and RabbitMQ, without a worker."""

from __future__ import annotations

import json
import logging
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from flask.testing import FlaskClient

from faces.config import Settings
from faces.formats.signatures import PictureBytes
from faces.image_store.pictures import ImageStore
from faces.messaging.message import Message
from faces.store.client import RedisClient
from faces.store.pictures import queries
from faces.store.pictures.accept import accept
from faces.store.pictures.commit import DetectionResult
from faces.store.pictures.erase import erase
from faces.usecases.publication import accept_and_publish
from local.process import free_port
from tests.support.committing import Worker, found, picture
from tests.support.drawing import drawing
from tests.support.full_redis import nearly_full
from tests.support.rules import read_all
from tests.support.server import HASH, PICTURE, problem, queued, serving


def test_the_root_answers(client: FlaskClient) -> None:
    assert client.get("/").status_code == 200


def test_a_picture_is_accepted_noted_and_queued(
    client: FlaskClient, settings: Settings, redis: RedisClient
) -> None:
    answer = client.post("/scan/image/me.jpg", data=PICTURE, headers={"content-type": "image/jpg"})
    assert (answer.status_code, json.loads(answer.data)) == (202, {"hash": HASH})
    (status,) = queries.statuses(redis, [HASH])
    assert status is not None
    assert status.state == "pending"
    (waiting,) = queued(settings)
    assert (waiting.picture_id, waiting.name, waiting.data) == (HASH, "me.jpg", PICTURE)


@pytest.mark.parametrize(
    "name",
    ["a/b/c.jpg", "//a//b", "../../etc/passwd", "é☃ 😀.jpg", "?#&.jpg", "two\nlines\n", "x" * 512],
)
def test_names_are_data(client: FlaskClient, settings: Settings, name: str) -> None:
    assert client.post(f"/scan/image/{quote(name)}", data=PICTURE).status_code == 202
    (waiting,) = queued(settings)
    assert waiting.name == name


def test_names_that_are_not_utf_8_are_rejected_not_merged(client: FlaskClient, redis: RedisClient) -> None:
    for name in (
        "M\xfcller.jpg",
        "M\xf6ller.jpg",
    ):  # bytes as WSGI passes them on; the test client would re-encode
        path = {"PATH_INFO": f"/scan/image/{name}"}
        answer = client.post("/scan/image/x", data=PICTURE, environ_overrides=path)
        assert problem(answer) == (400, "bad_name")
    for query in ("name=M%FCller.jpg", "name=M%F6ller.jpg"):
        assert problem(client.post(f"/v1/images?{query}", data=PICTURE)) == (400, "bad_request")
    assert client.post("/scan/image/M%C3%BCller.jpg", data=PICTURE).status_code == 202
    assert client.post("/v1/images?name=M%C3%B6ller.jpg", data=PICTURE).status_code == 202
    assert queries.counts(redis).accepted == 1


def test_what_a_url_may_have_of_secrets_is_in_no_log_line(
    client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    url = quote("https://example.org/a.jpg?X-Amz-Signature=secret", safe="")
    with caplog.at_level(logging.INFO, "faces.messaging.event_log"):
        assert client.post(f"/scan/image/{url}", data=PICTURE).status_code == 202
        assert client.get(f"/v1/names/{url}").status_code == 404
    said = [record.getMessage() for record in caplog.records]
    assert "GET /v1/names/https://example.org/a.jpg?..." in said
    assert not [one for one in said if "secret" in one]


def test_the_status_of_a_done_picture_tells_its_names(client: FlaskClient, redis: RedisClient) -> None:
    client.post("/scan/image/b.jpg", data=PICTURE)
    client.post("/scan/image/a.jpg", data=PICTURE)
    assert json.loads(client.get(f"/status/{HASH}").data)["names"] == ["a.jpg", "b.jpg"]
    Worker(redis).commit(DetectionResult(HASH))
    document = json.loads(client.get(f"/status/{HASH}").data)
    assert (document["state"], document["names"]) == ("done", ["a.jpg", "b.jpg"])
    assert "earlier" not in document


def test_near_its_memory_limit_redis_takes_no_new_pictures_but_serves_and_forgets(
    client: FlaskClient, settings: Settings, redis: RedisClient
) -> None:
    accept(redis, picture(0), "known")
    Worker(redis).commit(found(0, 1))
    with nearly_full(settings):
        answer = client.post("/scan/image/new.jpg", data=PICTURE)
        assert problem(answer) == (503, "unavailable")
        assert "no new pictures are accepted" in json.loads(answer.data)["detail"]
        assert client.get(f"/match/{picture(0)}").status_code == 200
        assert client.get(f"/status/{picture(0)}").status_code == 200
        assert client.delete(f"/v1/pictures/{picture(0)}").status_code == 204
    assert queued(settings) == []
    assert queries.counts(redis) == queries.Counts(1, 0, 0, 1, 0)


def test_an_original_is_not_left_behind(settings: Settings, redis: RedisClient, tmp_path: Path) -> None:
    kept = ImageStore(tmp_path.as_uri())
    with serving(settings, image_store_url=tmp_path.as_uri(), rabbitmq_port=free_port()) as client:
        assert client.post("/scan/image/a.jpg", data=PICTURE).status_code == 503
    assert not kept.has(HASH), "it was withdrawn"

    class ErasedMeanwhile(ImageStore):
        def put(self, picture_id: str, data: PictureBytes) -> None:
            erase(redis, picture_id)
            super().put(picture_id, data)

    message, store = Message(HASH, "a.jpg", None), ErasedMeanwhile(tmp_path.as_uri())
    assert accept_and_publish(redis, lambda _: None, store, message, original=PICTURE)
    assert not kept.has(HASH), "it was erased between being accepted and being stored"


def test_a_known_picture_gets_its_new_name_at_once(
    client: FlaskClient, settings: Settings, redis: RedisClient
) -> None:
    client.post("/scan/image/old", data=PICTURE)
    Worker(redis).commit(replace(found(0), picture_id=HASH))
    queued(settings)
    answer = client.post("/scan/image/new", data=PICTURE)
    assert (answer.status_code, json.loads(answer.data)) == (200, {"hash": HASH})
    assert read_all(redis).names == {"old": HASH, "new": HASH}
    assert queued(settings) == []


def test_matches_are_the_names_of_other_pictures(client: FlaskClient, redis: RedisClient) -> None:
    for number, name in enumerate(["a", "https://example.org/b.jpg", "c"]):
        accept(redis, picture(number), name)
    Worker(redis).commit(found(0, 1), found(1, 1), found(2, 2))
    assert json.loads(client.get(f"/match/{picture(0)}").data) == ["https://example.org/b.jpg"]
    assert json.loads(client.get(f"/match/{picture(2)}").data) == []


@pytest.mark.parametrize("unknown", ["0" * 64, "nonsense", "a:b*"])
def test_an_unknown_hash_has_no_matches(client: FlaskClient, unknown: str) -> None:
    answer = client.get(f"/match/{unknown}")
    assert (answer.status_code, json.loads(answer.data)) == (200, [])


def test_a_known_url_is_not_fetched_again(client: FlaskClient, redis: RedisClient) -> None:
    accept(redis, picture(0), "http://nowhere.invalid/a.jpg")
    Worker(redis).commit(found(0, 1))
    answer = client.post("/scan/url", json={"url": "http://nowhere.invalid/a.jpg"})
    assert (answer.status_code, json.loads(answer.data)) == (200, {"hash": picture(0)})


@pytest.mark.parametrize(
    ("path", "body", "expected"),
    [
        ("/scan/image/", PICTURE, (400, "bad_name")),
        ("/scan/image/" + "x" * 513, PICTURE, (400, "bad_name")),
        ("/scan/image/nothing.jpg", b"", (400, "empty")),
        ("/scan/image/text.jpg", b"this is not a picture", (415, "not_a_picture")),
        ("/scan/image/page.jpg", b"<html><body>404</body></html>", (415, "not_a_picture")),
        ("/scan/image/large.jpg", bytes(100_001), (413, "too_large")),
        ("/scan/image/wide.png", drawing(size=(301, 200), kind="PNG"), (413, "too_many_pixels")),
        ("/scan/image/scan.tiff", drawing(kind="TIFF"), (415, "format_not_allowed")),
        ("/scan/url", b"not json", (400, "bad_request")),
        ("/scan/url", b'"http://example.org"', (400, "bad_request")),
        ("/scan/url", b'{"url": 5}', (400, "bad_request")),
        ("/scan/url", b'{"url": ""}', (400, "bad_name")),
        ("/scan/url", b'{"url": "\\ud800"}', (400, "bad_name")),
        ("/scan/url", b'{"url": "ftp://example.org/a"}', (400, "bad_url")),
        ("/scan/url", b'{"url": "http://127.0.0.1/a"}', (403, "address_not_allowed")),
        ("/nothing/here", b"", (404, "not_found")),
        ("/", b"", (405, "method_not_allowed")),
    ],
    ids=lambda value: str(value)[:40],
)
def test_bad_input_gets_a_clear_error_and_leaves_nothing(
    settings: Settings, redis: RedisClient, path: str, body: bytes, expected: tuple[int, str]
) -> None:
    with serving(settings, max_picture_bytes=100_000, max_picture_pixels=60_000) as client:
        assert problem(client.post(path, data=body)) == expected
    assert queued(settings) == []
    assert redis.ask((0, "DBSIZE"), (1, "DBSIZE"), (2, "DBSIZE")) == [0, 0, 0]


def test_without_rabbitmq_nothing_is_accepted(settings: Settings, redis: RedisClient) -> None:
    with serving(settings, rabbitmq_port=free_port()) as client:
        answer = client.post("/scan/image/me.jpg", data=PICTURE)
    assert problem(answer) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert "127.0.0.1" not in answer.text
    assert queries.statuses(redis, [HASH]) == [None]
    assert queries.counts(redis).accepted == 0


def test_without_redis_nothing_is_accepted(settings: Settings) -> None:
    with serving(settings, redis_port=free_port()) as client:
        assert problem(client.post("/scan/image/me.jpg", data=PICTURE)) == (503, "unavailable")
        assert problem(client.get(f"/match/{HASH}")) == (503, "unavailable")
        assert client.get("/").status_code == 200
    assert queued(settings) == []


def test_with_an_image_store_the_message_carries_a_reference(settings: Settings, tmp_path: Any) -> None:
    with serving(settings, image_store_url=f"file://{tmp_path}/images") as client:
        client.post("/scan/image/me.jpg", data=PICTURE)
    (waiting,) = queued(settings)
    assert waiting.data is None
    assert (tmp_path / "images" / HASH[:2] / HASH).read_bytes() == PICTURE


def test_with_the_image_store_broken_nothing_is_accepted(
    settings: Settings, redis: RedisClient, tmp_path: Any
) -> None:
    (tmp_path / "file").write_text("in the way")
    with serving(settings, image_store_url=f"file://{tmp_path}/file") as client:
        assert problem(client.post("/scan/image/me.jpg", data=PICTURE)) == (503, "unavailable")
    assert queued(settings) == []
    assert queries.counts(redis).accepted == 0
