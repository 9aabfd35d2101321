"""`/v1/videos` as the server alone answers it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from faces.config import Settings
from faces.messaging import message
from faces.messaging.amqp import connect
from faces.messaging.topology import VIDEOS
from faces.store import videos
from faces.store.client import RedisClient
from faces.store.videos import Frame
from tests.support.server import PICTURE, problem, serving

FILM = b"\0\0\0\x20ftypisom" + bytes(5000)
HASH = hashlib.sha256(FILM).hexdigest()


@pytest.fixture
def server(settings: Settings, tmp_path: Path) -> Iterator[FlaskClient]:
    """A server that keeps originals."""
    with serving(settings, image_store_url=f"file://{tmp_path}", max_video_bytes=10_000) as opened:
        yield opened


def queued(settings: Settings) -> list[message.Message]:
    with closing(connect(settings)) as connection:
        channel, taken = connection.channel(), []
        while (delivery := channel.basic_get(VIDEOS, auto_ack=True))[0] is not None:
            taken.append(message.decode(delivery[1].headers, delivery[2]))
        return taken


def files(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in sorted(folder.rglob("*")) if path.is_file()]


def test_a_video_is_kept_and_queued(server: FlaskClient, settings: Settings, tmp_path: Path) -> None:
    answer = server.post("/v1/videos?name=film.mp4", data=FILM)
    assert answer.status_code == 202
    assert answer.headers["Location"] == f"/v1/videos/{HASH}"
    assert answer.json == {"hash": HASH, "name": "film.mp4", "location": f"/v1/videos/{HASH}", "new": True}
    assert files(tmp_path) == [f"videos/{HASH[:2]}/{HASH}"]
    (found,) = queued(settings)
    assert (found.picture_id, found.name, found.data) == (HASH, "film.mp4", None)
    about = server.get(f"/v1/videos/{HASH}").json
    assert about is not None
    assert (about["state"], about["bytes"], about["people"]) == ("pending", len(FILM), [])
    listed = server.get("/v1/videos").json
    assert listed is not None
    assert [video["name"] for video in listed["videos"]] == ["film.mp4"]


def test_a_video_that_is_done_is_not_queued_again(
    server: FlaskClient, settings: Settings, redis: RedisClient
) -> None:
    server.post("/v1/videos?name=film.mp4", data=FILM)
    videos.finish(redis, HASH, lambda video: replace(video, state="done"))
    queued(settings)
    answer = server.post("/v1/videos?name=other.mp4", data=FILM)
    assert (answer.status_code, answer.json["new"], answer.json["name"]) == (200, False, "film.mp4")  # type: ignore[index]  # it is JSON
    assert queued(settings) == []


def test_a_failed_one_is_tried_again(server: FlaskClient, settings: Settings, redis: RedisClient) -> None:
    server.post("/v1/videos?name=film.mp4", data=FILM)
    videos.finish(redis, HASH, lambda video: replace(video, state="failed", code="poison", starts=3))
    queued(settings)
    assert server.post("/v1/videos", data=FILM).status_code == 202
    assert len(queued(settings)) == 1
    again = videos.find(redis, HASH)
    assert again is not None
    assert (again.state, again.code, again.starts, again.name) == ("pending", None, 0, "film.mp4")


@pytest.mark.parametrize(
    ("data", "query", "expected"),
    [
        (PICTURE, "", (415, "not_a_video")),
        (b"", "", (415, "not_a_video")),
        (FILM + bytes(10_000), "", (413, "too_large")),
        (FILM, f"?name={'n' * 510}", (400, "bad_name")),
        (FILM, "?what=ever", (400, "bad_request")),
    ],
    ids=["picture", "nothing", "large", "name", "parameter"],
)
def test_what_is_refused_leaves_nothing(
    server: FlaskClient, tmp_path: Path, data: bytes, query: str, expected: tuple[int, str]
) -> None:
    assert problem(server.post(f"/v1/videos{query}", data=data)) == expected
    assert files(tmp_path) == []


def test_without_an_image_store_there_are_no_videos(client: FlaskClient) -> None:
    assert problem(client.post("/v1/videos", data=FILM)) == (501, "no_image_store")
    assert problem(client.delete(f"/v1/videos/{HASH}")) == (501, "no_image_store")
    assert problem(client.get(f"/v1/videos/{HASH}")) == (404, "not_found")


def test_what_cannot_be_queued_is_not_accepted(
    server: FlaskClient, settings: Settings, tmp_path: Path
) -> None:
    with serving(settings, image_store_url=f"file://{tmp_path}", rabbitmq_port=1, publish_timeout=1.0) as cut:
        assert problem(cut.post("/v1/videos", data=FILM)) == (503, "unavailable")
    assert files(tmp_path) == []
    assert problem(server.get(f"/v1/videos/{HASH}")) == (404, "not_found")


def test_erasing_removes_the_video_and_its_frames(
    server: FlaskClient, redis: RedisClient, tmp_path: Path
) -> None:
    server.post("/v1/videos?name=film.mp4", data=FILM)
    sent = server.post("/v1/images?name=film.mp4%23t=0", data=PICTURE).json
    assert sent is not None
    frame = sent["items"][0]["hash"]
    videos.record(redis, HASH, Frame(0.0, frame))
    videos.finish(redis, HASH, lambda video: replace(video, state="done"))
    receipt = server.delete(f"/v1/videos/{HASH}").json
    assert receipt == {"hash": HASH, "name": "film.mp4", "frames": 1, "faces": 0, "original": True}
    assert files(tmp_path) == []
    for path in (f"/v1/videos/{HASH}", f"/v1/images/{frame}"):
        assert problem(server.get(path)) == (404, "not_found")
    assert problem(server.delete(f"/v1/videos/{HASH}")) == (404, "not_found")


def test_the_list_has_pages(server: FlaskClient) -> None:
    for number in range(3):
        server.post(f"/v1/videos?name={number}", data=FILM + bytes([number]))
    first = server.get("/v1/videos?limit=2").json
    assert first is not None
    second = server.get(f"/v1/videos?limit=2&cursor={first['next']}").json
    assert second is not None
    assert [video["name"] for video in first["videos"] + second["videos"]] == ["2", "1", "0"]
    assert second["next"] is None
