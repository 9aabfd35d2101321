from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest

from client.__main__ import main
from faces.config import Settings
from faces.messaging.amqp import Publisher
from faces.messaging.message import Message, encode
from faces.messaging.queues import depths
from faces.messaging.topology import DEAD, PICTURES_QUEUE
from faces.picture_id import picture_id_of
from faces.store.client import RedisClient
from faces.store.pictures import queries
from faces.store.pictures.accept import accept
from faces.store.pictures.erase import erase
from faces.store.pictures.fail import fail
from faces.store.pictures.status import Status
from local.process import until
from tests.support.writing import Writer, picture

BODY = b"any bytes"
HASH = picture_id_of(BODY)


@pytest.fixture(autouse=True)
def terminal(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_HOST", settings.redis_host)
    monkeypatch.setenv("REDIS_PORT", str(settings.redis_port))
    monkeypatch.setenv("RABBITMQ_HOST", settings.rabbitmq_host)
    monkeypatch.setenv("RABBITMQ_PORT", str(settings.rabbitmq_port))


def ready(settings: Settings, queue: str) -> int | None:
    return {depth.queue: depth.ready for depth in depths(settings)}[queue]


def bury(settings: Settings, headers: dict[str, Any], body: bytes) -> None:
    """Have RabbitMQ hold one more dead letter."""
    before = ready(settings, DEAD) or 0
    with closing(Publisher(settings)) as publisher:
        publisher.publish(DEAD, "", headers, body)
    assert until(lambda: ready(settings, DEAD) == before + 1, 60)


def ours(message: Message) -> dict[str, Any]:
    headers, _ = encode(message)
    return {**headers, "reason": "a reason"}


def listed(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> list[dict[str, Any]]:
    assert main(["dead", "--json", *arguments]) == code
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)["dead"]
    return found


def test_letters_are_listed_and_stay(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    bury(settings, {"reason": "no\x1b sense", "hash": 5}, b"garbage")
    bury(settings, ours(Message(HASH, "a name", BODY)), BODY)
    for _ in range(3):
        assert [(x["hash"], x["bytes"], x["reason"]) for x in listed(capsys)] == [
            ("5", 7, "no\x1b sense"),
            (HASH, len(BODY), "a reason"),
        ]
        assert until(lambda: ready(settings, DEAD) == 2, 60)
    assert main(["dead"]) == 0
    assert "no\\x1b sense" in capsys.readouterr().out


def test_a_failed_picture_that_is_replayed_is_pending_and_queued_again(
    redis: RedisClient, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    accept(redis, HASH, "a name")
    fail(redis, HASH, "gave_up", "the store was away")
    bury(settings, ours(Message(HASH, "a name", BODY, attempt=12)), BODY)
    bury(settings, {"reason": "garbage"}, b"garbage")
    found = listed(capsys, "--replay", HASH)
    assert [letter["now"] for letter in found] == ["replayed", ""]
    assert until(lambda: (ready(settings, DEAD), ready(settings, PICTURES_QUEUE)) == (1, 1), 60)
    assert queries.counts(redis) == queries.Counts(1, 0, 0, 0, 1)


def test_a_pending_picture_is_only_published_again(
    redis: RedisClient, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    accept(redis, HASH, "a name")
    bury(settings, ours(Message(HASH, "a name", BODY, attempt=12)), BODY)
    assert listed(capsys, "--replay", HASH)[0]["now"] == "replayed"
    assert until(lambda: (ready(settings, DEAD), ready(settings, PICTURES_QUEUE)) == (0, 1), 60)
    assert redis.ask((0, "HLEN", f"pending:{HASH}"), (0, "GET", "sequence")) == [1, b"1"]


def test_what_was_erased_does_not_come_back(
    redis: RedisClient, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    accept(redis, HASH, "a name")
    erase(redis, HASH)
    bury(settings, ours(Message(HASH, "a name", BODY)), BODY)
    assert "was erased or never accepted" in listed(capsys, "--replay", "all", code=1)[0]["now"]
    assert queries.statuses(redis, [HASH]) == [None]
    assert until(lambda: ready(settings, DEAD) == 1, 60)
    assert listed(capsys, "--replay", HASH, "--as-new")[0]["now"] == "replayed"
    assert until(lambda: (ready(settings, DEAD), ready(settings, PICTURES_QUEUE)) == (0, 1), 60)
    assert queries.counts(redis).in_flight == 1


def test_an_erasure_during_a_replay_holds(
    redis: RedisClient,
    settings: Settings,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    accept(redis, HASH, "a name")
    fail(redis, HASH, "gave_up", "the store was away")
    look = queries.status_with_names

    def erased_meanwhile(redis: RedisClient, picture_id: str) -> Status | None:
        status = look(redis, picture_id)
        erase(redis, picture_id)
        return status

    monkeypatch.setattr(queries, "status_with_names", erased_meanwhile)
    bury(settings, ours(Message(HASH, "a name", BODY)), BODY)
    assert "was erased meanwhile" in listed(capsys, "--replay", HASH, code=1)[0]["now"]
    assert queries.statuses(redis, [HASH]) == [None]
    assert ready(settings, PICTURES_QUEUE) == 0


def test_a_replayed_picture_takes_no_name_from_one_that_was_sent_later(
    redis: RedisClient, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = Writer(redis)
    accept(redis, picture(3), "name")
    fail(redis, picture(3), "gave_up", "the store was away")
    accept(redis, picture(1), "name")
    writer.commit([writer.found(1)])
    for name in ("name", "free"):
        bury(settings, ours(Message(picture(3), name, None)), b"")
    listed(capsys, "--replay", "all")
    assert until(lambda: ready(settings, PICTURES_QUEUE) == 2, 60)
    writer.commit([writer.found(3)])
    assert queries.picture_named(redis, "name") == picture(1)
    assert queries.picture_named(redis, "free") == picture(3)


def test_all_are_replayed_that_can_be(
    redis: RedisClient, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    accept(redis, HASH, "a name")
    bury(settings, {"reason": "garbage"}, b"garbage")
    bury(settings, ours(Message(HASH, "a name", BODY)), BODY)
    garbage, good = listed(capsys, "--replay", "all")
    assert "cannot be replayed" in garbage["now"]
    assert good["now"] == "replayed"
    assert until(lambda: (ready(settings, DEAD), ready(settings, PICTURES_QUEUE)) == (1, 1), 60)


def test_a_picture_that_is_done_meanwhile_is_not_queued_again(
    redis: RedisClient, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    Writer(redis).add(1)
    bury(settings, ours(Message(picture(1), "1", None)), b"")
    assert "done already" in listed(capsys, "--replay", picture(1))[0]["now"]
    assert until(lambda: ready(settings, DEAD) == 0, 60)
    assert ready(settings, PICTURES_QUEUE) == 0
    assert queries.counts(redis) == queries.Counts(1, 1, 0, 0, 0)


def test_what_is_not_there_cannot_be_replayed(capsys: pytest.CaptureFixture[str]) -> None:
    assert listed(capsys, "--replay", HASH, code=1) == []
    assert main(["dead"]) == 0
    assert "no dead letters" in capsys.readouterr().out
