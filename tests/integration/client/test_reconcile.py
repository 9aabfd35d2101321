from __future__ import annotations

import json
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from client.__main__ import main
from faces.config import Settings
from faces.image_store.pictures import ImageStore
from faces.messaging.amqp import Publisher, connect
from faces.messaging.message import Message, decode, encode
from faces.messaging.queues import depths
from faces.messaging.topology import PICTURE_KEY, PICTURES_EXCHANGE, PICTURES_QUEUE
from faces.picture_id import picture_id_of
from faces.store.client import RedisClient
from faces.store.pictures import queries
from faces.store.pictures.accept import accept
from local.process import until

KEPT, LOST = b"in the image store", b"nowhere"


@pytest.fixture
def image_store(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageStore:
    monkeypatch.setenv("REDIS_HOST", settings.redis_host)
    monkeypatch.setenv("REDIS_PORT", str(settings.redis_port))
    monkeypatch.setenv("RABBITMQ_HOST", settings.rabbitmq_host)
    monkeypatch.setenv("RABBITMQ_PORT", str(settings.rabbitmq_port))
    monkeypatch.setenv("IMAGE_STORE_URL", f"file://{tmp_path}")
    return ImageStore(f"file://{tmp_path}")


def stranded(capsys: pytest.CaptureFixture[str], *arguments: str, code: int) -> dict[str, Any]:
    assert main(["reconcile", "--json", *arguments]) == code
    return {found["hash"]: found for found in json.loads(capsys.readouterr().out)["stranded"]}


def test_pictures_without_a_message_are_found_and_queued_again(
    redis: RedisClient, settings: Settings, image_store: ImageStore, capsys: pytest.CaptureFixture[str]
) -> None:
    image_store.put(picture_id_of(KEPT), KEPT)
    for data in (KEPT, LOST):
        accept(redis, picture_id_of(data), data.decode())
    found = stranded(capsys, "--older", "0", code=1)
    assert "--requeue" in found[picture_id_of(KEPT)]["remedy"]
    assert found[picture_id_of(LOST)]["remedy"].startswith("send it again")
    assert found[picture_id_of(LOST)]["names"] == ["nowhere"]
    assert depths(settings)[0].ready == 0, "only looked at so far"
    found = stranded(capsys, "--older", "0", "--requeue", code=1)
    assert found[picture_id_of(KEPT)]["remedy"] == "queued again"
    assert until(lambda: depths(settings)[0].ready == 1, 60)
    with closing(connect(settings)) as connection:
        _, properties, body = connection.channel().basic_get(PICTURES_QUEUE, auto_ack=True)
    assert decode(properties.headers, body) == Message(picture_id_of(KEPT), KEPT.decode(), None, "reconcile")


def test_what_cannot_be_queued_again_is_failed(
    redis: RedisClient, image_store: ImageStore, capsys: pytest.CaptureFixture[str]
) -> None:
    accept(redis, picture_id_of(LOST), "lost")
    found = stranded(capsys, "--older", "0", "--requeue", "--fail", code=0)
    assert found[picture_id_of(LOST)]["remedy"] == "failed"
    (status,) = queries.statuses(redis, [picture_id_of(LOST)])
    assert status is not None
    assert (status.state, status.code) == ("failed", "stranded")
    assert queries.counts(redis) == queries.Counts(1, 0, 1, 0, 0)


def test_originals_without_a_picture_are_found_and_removed(
    redis: RedisClient,
    image_store: ImageStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for data in (KEPT, LOST):
        image_store.put(picture_id_of(data), data)
    image_store.put_crops("0" * 64, [b"a face"])
    (tmp_path / "notes").mkdir()
    accept(redis, picture_id_of(KEPT), "kept")
    assert main(["check"]) == 0, "one that was stored just now may be withdrawn at this moment"
    now = time.time()
    monkeypatch.setattr("client.checking.originals.time.time", lambda: now + 61)
    assert main(["check"]) == 1
    assert "an original or crops without a picture" in capsys.readouterr().out
    assert stranded(capsys, code=1)[picture_id_of(LOST)]["remedy"].startswith("original or crops without")
    assert (
        stranded(capsys, "--sweep", "--older", "1000", code=0)[picture_id_of(LOST)]["remedy"]
        == "original and crops removed"
    )
    assert [image_store.has(picture_id_of(data)) for data in (KEPT, LOST)] == [True, False]
    assert not image_store.has_crops("0" * 64)
    assert main(["check"]) == 0


def test_young_pictures_may_still_be_on_their_way(
    redis: RedisClient, image_store: ImageStore, capsys: pytest.CaptureFixture[str]
) -> None:
    accept(redis, picture_id_of(LOST), "young")
    assert stranded(capsys, code=0) == {}
    assert main(["reconcile"]) == 0
    assert "no picture is stranded" in capsys.readouterr().out


@pytest.mark.parametrize(("minutes", "idle", "found"), [(2, True, 1), (2, False, 0), (61, False, 1)])
def test_while_anything_is_queued_only_old_pictures_count(
    redis: RedisClient,
    settings: Settings,
    image_store: ImageStore,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *,
    minutes: int,
    idle: bool,
    found: int,
) -> None:
    accept(redis, picture_id_of(LOST), "some time ago")
    if not idle:
        with closing(Publisher(settings)) as publisher:
            publisher.publish(PICTURES_EXCHANGE, PICTURE_KEY, *encode(Message("0" * 64, "x", b"")))
            assert until(lambda: depths(settings)[0].ready == 1, 60)
    now = time.time()
    monkeypatch.setattr("client.commands.reconcile.time.time", lambda: now + 60 * minutes)
    assert len(stranded(capsys, code=found)) == found
