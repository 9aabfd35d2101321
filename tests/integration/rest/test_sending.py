"""`POST /v1/images`, in each of its forms."""

from __future__ import annotations

import hashlib
import io
import tarfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from faces.config import Settings
from faces.store.client import RedisClient
from faces.store.pictures import queries
from rest.v1.pictures import batches, sending
from tests.support.committing import Worker, found
from tests.support.drawing import drawing
from tests.support.rules import faults, read_all
from tests.support.server import HASH, PICTURE, problem, queued, serving

OTHER = drawing(1)
OTHER_HASH = hashlib.sha256(OTHER).hexdigest()
DONE = replace(found(0, 1), picture_id=HASH)
LATIN_1 = (
    b"".join(
        b'--b\r\nContent-Disposition: form-data; name="image"; filename="%s.jpg"\r\n\r\n%s\r\n' % sent
        for sent in ((b"Muller", PICTURE), (b"M\xfcller", OTHER))
    )
    + b"--b--\r\n"
)
"""A form with a file whose name has another encoding than UTF-8."""


def form(*files: tuple[str, str, bytes]) -> dict[str, Any]:
    """A form with files: field, name, content."""
    fields: dict[str, list[tuple[io.BytesIO, str]]] = {}
    for field, name, data in files:
        fields.setdefault(field, []).append((io.BytesIO(data), name))
    return {"data": fields, "content_type": "multipart/form-data"}


def archive(*files: tuple[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, data in files:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return made.getvalue()


def test_a_raw_body_is_accepted_under_its_name(client: FlaskClient, settings: Settings) -> None:
    answer = client.post("/v1/images?name=me.jpg", data=PICTURE)
    assert (answer.status_code, answer.headers["Location"]) == (202, f"/v1/images/{HASH}")
    (item,) = answer.get_json()["items"]
    assert (item["name"], item["hash"], item["new"]) == ("me.jpg", HASH, True)
    (waiting,) = queued(settings)
    assert (waiting.name, waiting.data) == ("me.jpg", PICTURE)


def test_without_a_name_the_hash_is_the_name(client: FlaskClient, settings: Settings) -> None:
    client.post("/v1/images", data=PICTURE, content_type="image/jpeg")
    assert [waiting.name for waiting in queued(settings)] == [HASH]


@pytest.mark.parametrize("field", ["image", "file", "whatever"])
def test_a_form_may_call_its_file_anything(client: FlaskClient, settings: Settings, field: str) -> None:
    assert client.post("/v1/images", **form((field, "a/me.jpg", PICTURE))).status_code == 202
    assert [waiting.name for waiting in queued(settings)] == ["a/me.jpg"]


def test_of_many_files_a_bad_one_fails_alone(client: FlaskClient, settings: Settings) -> None:
    files = ("image", "a", PICTURE), ("image", "b", b"no picture"), ("file", "c", OTHER)
    answer = client.post("/v1/images", **form(*files))
    document = answer.get_json()
    assert (answer.status_code, document["accepted"], document["refused"]) == (202, 2, 1)
    assert "Location" not in answer.headers
    first, bad, last = document["items"]
    assert [first["hash"], last["hash"]] == [HASH, OTHER_HASH]
    assert (bad["name"], bad["problem"]["code"], bad["problem"]["status"]) == ("b", "not_a_picture", 415)
    assert sorted(waiting.name for waiting in queued(settings)) == ["a", "c"]


def test_a_tar_is_taken_file_by_file(client: FlaskClient, settings: Settings) -> None:
    tar = archive(("photos/a.jpg", PICTURE), ("notes.txt", b"not a picture"), ("../b.jpg", OTHER))
    answer = client.post("/v1/images", data=tar, content_type="application/x-tar")
    assert [item["hash"] for item in answer.get_json()["items"]] == [HASH, None, OTHER_HASH]
    assert sorted(waiting.name for waiting in queued(settings)) == ["../b.jpg", "photos/a.jpg"]


@pytest.mark.parametrize("most", [1, 2, 32])
def test_pictures_are_taken_some_at_a_time_and_answered_in_order(
    client: FlaskClient, settings: Settings, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(batches, "MAX_PICTURES", most)
    files = [("a", PICTURE), ("bad", b"x"), ("b", OTHER), ("a again", PICTURE), ("c", drawing(2))]
    answers = [
        client.post("/v1/images", data=archive(*files), content_type="application/x-tar"),
        client.post("/v1/images", **form(*(("file", name, data) for name, data in files))),
    ]
    for answer in answers:
        assert [item["name"] for item in answer.get_json()["items"]] == [name for name, _ in files]
        assert [item["new"] for item in answer.get_json()["items"]] == [True, None, True, True, True]
    assert [waiting.name for waiting in queued(settings)] == ["a", "b", "a again", "c"] * 2


def test_more_pictures_than_an_archive_may_have_are_left(
    client: FlaskClient, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "MAX_MEMBERS", 2)
    tar = archive(("a", PICTURE), ("b", OTHER), ("c", drawing(2)))
    items = client.post("/v1/images", data=tar, content_type="application/x-tar").get_json()["items"]
    assert [item["problem"] and item["problem"]["code"] for item in items] == [None, None, "too_large"]
    assert [waiting.name for waiting in queued(settings)] == ["a", "b"]


def test_what_came_whole_is_taken_though_its_sender_went_away(settings: Settings) -> None:
    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if piece := super().read(size):
                return piece
            raise OSError("the connection was reset")

        def readinto(self, buffer: Any) -> int:
            piece = self.read(len(buffer))
            buffer[: len(piece)] = piece
            return len(piece)

    padded = 40 << 10  # tarfile reads 10 KiB at a time
    stream = Breaking(
        archive(("a", PICTURE.ljust(padded)), ("b", OTHER.ljust(padded)))[: padded + (20 << 10)]
    )
    with serving(settings) as client:
        answer = client.post(
            "/v1/images",
            content_type="application/x-tar",
            environ_overrides={"wsgi.input": stream, "wsgi.input_terminated": True},
        )
    assert answer.status_code == 400
    assert [waiting.name for waiting in queued(settings)] == ["a"]


def test_a_tar_may_be_larger_than_a_picture(settings: Settings) -> None:
    tar = archive(("a", PICTURE), ("large", bytes(100_001)), ("b", OTHER))
    with serving(settings, max_picture_bytes=100_000) as client:
        items = client.post("/v1/images", data=tar, content_type="application/x-tar").get_json()["items"]
    assert [item["hash"] for item in items] == [HASH, None, OTHER_HASH]
    assert items[1]["problem"]["code"] == "too_large"


def test_names_in_a_tar_that_are_not_utf_8_are_refused_alone(client: FlaskClient, settings: Settings) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT, encoding="latin-1") as archive:
        for name in ("M\xfcller.jpg", "M\xf6ller.jpg", "Moller.jpg"):
            member = tarfile.TarInfo(name)
            member.size = len(PICTURE)
            archive.addfile(member, io.BytesIO(PICTURE))
    answer = client.post("/v1/images", data=file.getvalue(), content_type="application/x-tar")
    items = answer.get_json()["items"]
    assert [item["problem"] and item["problem"]["code"] for item in items] == ["bad_name", "bad_name", None]
    assert items[0]["name"] == "M\\udcfcller.jpg"
    assert [waiting.name for waiting in queued(settings)] == ["Moller.jpg"]


def test_a_tar_that_is_cut_short_keeps_what_came_before(client: FlaskClient, settings: Settings) -> None:
    tar = archive(("a", PICTURE), ("b", OTHER))
    cut = 512 + (len(PICTURE) // 512 + 1) * 512 + 700
    items = client.post("/v1/images", data=tar[:cut], content_type="application/x-tar").get_json()["items"]
    assert items[0]["hash"] == HASH
    assert items[-1]["problem"]["code"] == "bad_archive"
    assert [waiting.name for waiting in queued(settings)] == ["a"]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"data": b""}, (400, "empty")),
        ({"data": b"not a picture"}, (415, "not_a_picture")),
        ({"data": bytes(100_001)}, (413, "too_large")),
        (form(("image", "a", b"not a picture")), (415, "not_a_picture")),
        ({"data": {"image": "text"}, "content_type": "multipart/form-data"}, (400, "empty")),
        ({"data": b"not a form", "content_type": "multipart/form-data; boundary=b"}, (400, "empty")),
        ({"data": LATIN_1, "content_type": "multipart/form-data; boundary=b"}, (400, "bad_name")),
        ({"data": b"not a tar", "content_type": "application/x-tar"}, (400, "bad_archive")),
        ({"json": {}}, (400, "bad_request")),
        ({"json": {"url": "http://127.0.0.1/a"}}, (403, "address_not_allowed")),
        ({"json": {"url": "ftp://example.org"}}, (400, "bad_url")),
        ({"json": {"url": "http://a.example", "urls": ["http://b.example"]}}, (400, "bad_request")),
        ({"json": {"urls": []}}, (400, "bad_request")),
        ({"json": {"urls": ["http://a.example"] * 33}}, (400, "bad_request")),
        ({"data": b"[" * 100_000, "content_type": "application/json"}, (400, "bad_request")),
        ({"data": PICTURE, "query_string": {"wait": "61"}}, (400, "bad_request")),
        ({"data": PICTURE, "query_string": {"nmae": "a"}}, (400, "bad_request")),
        ({"data": PICTURE, "query_string": {"name": "x" * 513}}, (400, "bad_name")),
    ],
    ids=lambda value: value[1] if isinstance(value, tuple) else None,
)
def test_what_cannot_be_taken_is_a_problem_and_leaves_nothing(
    settings: Settings, redis: RedisClient, sent: dict[str, Any], expected: tuple[int, str]
) -> None:
    with serving(settings, max_picture_bytes=100_000) as client:
        assert problem(client.post("/v1/images", **sent)) == expected
    assert queued(settings) == []
    assert queries.counts(redis).accepted == 0


def test_urls_fail_alone(client: FlaskClient) -> None:
    urls = ["http://127.0.0.1/a", "ftp://example.org/b", "x" * 513]
    items = client.post("/v1/images", json={"urls": urls}).get_json()["items"]
    assert [item["problem"]["code"] for item in items] == ["address_not_allowed", "bad_url", "bad_name"]
    assert [item["name"] for item in items] == urls


def test_waiting_ends_when_the_picture_is_done(client: FlaskClient, redis: RedisClient) -> None:
    client.post("/v1/images?name=a", data=PICTURE)
    answer = client.post("/v1/images?name=b&wait=0.01", data=PICTURE)
    assert answer.status_code == 202
    assert answer.get_json()["items"][0]["state"] == "pending"
    Worker(redis).commit(DONE)
    answer = client.post("/v1/images?name=c&wait=30", data=PICTURE)
    assert answer.status_code == 200
    assert answer.get_json()["items"][0]["faces"] == 1


def test_a_request_with_a_key_is_done_once(client: FlaskClient, settings: Settings) -> None:
    shown: dict[str, Any] = {"headers": {"Idempotency-Key": "my key"}}
    first = client.post("/v1/images", **form(("image", "a", PICTURE)), **shown)
    again = client.post("/v1/images", **form(("image", "a", PICTURE)), **shown)
    assert (again.status_code, again.data) == (first.status_code, first.data) == (202, first.data)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(queued(settings)) == 1
    other = client.post("/v1/images", json={"urls": ["http://127.0.0.1/"]}, **shown)
    assert problem(other) == (422, "idempotency_key_reused")


def test_a_request_that_failed_may_be_sent_again_with_its_key(client: FlaskClient) -> None:
    shown: dict[str, Any] = {"headers": {"Idempotency-Key": "k"}}
    for _ in range(2):
        assert problem(client.post("/v1/images", json={"url": "http://127.0.0.1/"}, **shown))[0] == 403


def test_large_pictures_go_to_the_image_store_and_not_through_rabbitmq(
    settings: Settings, redis: RedisClient, tmp_path: Path
) -> None:
    large = PICTURE + bytes(20 << 20)  # what follows a JPEG's end is nobody's business
    digest = hashlib.sha256(large).hexdigest()
    with serving(settings) as client:
        assert problem(client.post("/v1/images", data=large)) == (413, "too_large")
    with serving(settings, image_store_url=f"file://{tmp_path}") as client:
        assert client.post("/v1/images?name=large", data=large).status_code == 202
        head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="form"\r\n\r\n'
        body = {"data": head + large + b"\r\n--x--\r\n", "content_type": "multipart/form-data; boundary=x"}
        assert client.post("/v1/images", **body).status_code == 202
    assert [waiting.data for waiting in queued(settings)] == [None, None]
    assert (tmp_path / digest[:2] / digest).read_bytes() == large
    (status,) = queries.statuses(redis, [digest])
    assert status is not None
    assert status.size == {"bytes": len(large), "width": 120, "height": 90, "format": "JPEG"}
    assert faults(read_all(redis)) == []
