from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace

import pytest

from client.__main__ import main
from faces.config import Settings
from faces.errors import BrokerError
from faces.messaging.amqp import Publisher, connect
from faces.messaging.message import Message, encode
from faces.messaging.queues import Depth, depths
from faces.messaging.topology import DEAD, PICTURE_KEY, PICTURES_EXCHANGE, PICTURES_QUEUE, retry_queue
from faces.odds import Odds
from faces.store.client import RedisClient
from faces.store.collection import odds
from faces.store.pictures.accept import accept
from faces.store.pictures.fail import fail
from local.process import free_port, until
from tests.support.writing import Writer, picture


@pytest.fixture(autouse=True)
def terminal(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_HOST", settings.redis_host)
    monkeypatch.setenv("REDIS_PORT", str(settings.redis_port))
    monkeypatch.setenv("RABBITMQ_HOST", settings.rabbitmq_host)
    monkeypatch.setenv("RABBITMQ_PORT", str(settings.rabbitmq_port))


def document(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, object]:
    assert main(["status", "--json", *arguments]) == 0
    found: dict[str, object] = json.loads(capsys.readouterr().out)
    return found


def test_counts_and_queues(
    redis: RedisClient, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    Writer(redis).add(1, 2)
    accept(redis, picture(3), "3")
    with closing(Publisher(settings)) as publisher:
        publisher.publish(PICTURES_EXCHANGE, PICTURE_KEY, *encode(Message("0" * 64, "x", b"")))
        assert until(lambda: depths(settings)[0].ready == 1, 60)
    found = document(capsys)
    used = found["memory"]
    assert isinstance(used, dict)
    assert used["used"] > sum(used["parts"].values()) > 0
    assert {key: value for key, value in found.items() if key not in {"queues", "memory"}} == {
        "accepted": 3,
        "done": 2,
        "failed": 0,
        "erased": 0,
        "in_flight": 1,
        "unaccounted": 0,
        "waiting": 1,
        "retried": 0,
        "in_hand": 0,
        "dead_letters": 0,
    }
    queues = found["queues"]
    assert isinstance(queues, list)
    assert queues[0] == {"queue": PICTURES_QUEUE, "ready": 1, "consumers": 0}
    assert {q["queue"] for q in queues} >= {DEAD, retry_queue(1), retry_queue(600)}
    assert main(["status"]) == 0
    output = capsys.readouterr().out
    assert "every picture is accounted for" in output
    assert "Redis, MB" in output
    assert "about 0 edges" in output


def test_pictures_unaccounted_for_are_an_error(
    redis: RedisClient, capsys: pytest.CaptureFixture[str]
) -> None:
    redis.ask((0, "HSET", "counts", "accepted", 5))
    assert main(["status"]) == 1
    assert "must be 0" in capsys.readouterr().out


def test_a_queue_that_is_not_declared_yet_is_told(settings: Settings) -> None:
    with closing(connect(settings)) as connection:
        connection.channel().queue_delete(retry_queue(5))
    found = {depth.queue: depth for depth in depths(settings)}
    assert found[retry_queue(5)] == Depth(retry_queue(5), None)
    assert found[PICTURES_QUEUE].ready == 0


def test_the_counts_are_shown_although_the_broker_is_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RABBITMQ_PORT", str(free_port()))
    assert main(["status"]) == 2
    output = capsys.readouterr()
    assert "accepted" in output.out
    assert "RabbitMQ is not reachable" in output.err


def test_another_trouble_of_the_broker_is_no_missing_queue(settings: Settings) -> None:
    with pytest.raises(BrokerError):
        depths(replace(settings, rabbitmq_vhost="nowhere"))


def test_mostly_wrong_matches_are_warned_of(redis: RedisClient, capsys: pytest.CaptureFixture[str]) -> None:
    Writer(redis).add(1)
    odds.keep(redis, Odds("test", 5000, 5000.0, 2.0, 1.0))
    assert main(["status"]) == 0
    assert "of all matches are wrong at tolerance 0.6" in capsys.readouterr().err
    odds.keep(redis, Odds("test", 50, 50.0, 2.0, 1.0))
    assert main(["status"]) == 0
    assert "are wrong" not in capsys.readouterr().err


def test_one_picture(redis: RedisClient, capsys: pytest.CaptureFixture[str]) -> None:
    Writer(redis).add(2)
    accept(redis, picture(2), "second\x1b name")
    found = document(capsys, picture(2))
    assert (found["state"], found["names"]) == ("done", ["2", "second\x1b name"])
    assert document(capsys, "second\x1b name") == found
    assert main(["status", picture(2)]) == 0
    assert "second\\x1b name" in capsys.readouterr().out


def test_a_failed_picture_has_its_reason(redis: RedisClient, capsys: pytest.CaptureFixture[str]) -> None:
    accept(redis, picture(1), "bad.jpg")
    fail(redis, picture(1), "not_a_picture", "no picture at all")
    assert main(["status", picture(1)]) == 0
    output = capsys.readouterr().out
    assert "not_a_picture: no picture at all" in output
    assert "bad.jpg" in output


def test_an_unknown_picture_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status", picture(9)]) == 2
    assert "is unknown" in capsys.readouterr().err
