"""Erasing at the terminal, on a real Redis and a folder of originals."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from client.__main__ import main
from faces.config import Settings
from faces.image_store.pictures import ImageStore
from faces.messaging import topology
from faces.messaging.amqp import Publisher, connect
from faces.messaging.message import Message, encode
from faces.messaging.queue_scan import remove_messages_of, scan
from faces.messaging.queues import depths
from faces.messaging.topology import DEAD, retry_queue
from faces.store.access import audit_log
from faces.store.client import RedisClient
from faces.store.pictures import queries
from faces.store.pictures.accept import accept
from faces.store.pictures.fail import fail
from tests.support.rules import faults, read_all
from tests.support.writing import Writer, picture

pytestmark = pytest.mark.usefixtures("terminal", "broker")

A, B = picture(0), picture(7)  # the same person


class Terminal(io.StringIO):
    """A person at the keyboard."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def broker(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A RabbitMQ with empty queues, which the commands use."""
    monkeypatch.setenv("RABBITMQ_HOST", settings.rabbitmq_host)
    monkeypatch.setenv("RABBITMQ_PORT", str(settings.rabbitmq_port))
    return settings


@pytest.fixture
def writer(redis: RedisClient) -> Writer:
    writing = Writer(redis)
    writing.add(0, 1, 7)
    return writing


def nothing_is_left(capsys: pytest.CaptureFixture[str], erased: str) -> bool:
    capsys.readouterr()
    code = main(["check", "--residue", erased])
    return (code, "nothing is left" in capsys.readouterr().out) == (0, True)


def test_a_receipt_tells_what_was_removed(writer: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    accept(writer.redis, A, "second\x1b name")
    assert main(["erase", A, "--yes"]) == 0
    lines = [line.split(None, 1) for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        ["erased", A],
        ["state", "done"],
        ["name", "0"],
        ["name", "second\\x1b name"],
        ["faces", "2"],
        ["edges", "1"],
        ["original", "none"],
        ["crops", "none"],
        ["messages", "0"],
    ]
    assert nothing_is_left(capsys, A)
    assert queries.matching_names(writer.redis, B) == []
    assert faults(read_all(writer.redis)) == []


def test_a_name_is_enough(writer: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["erase", "7", "--yes", "--json"]) == 0
    receipt = json.loads(capsys.readouterr().out)
    assert receipt == {
        "picture_id": B,
        "state": "done",
        "names": ["7"],
        "faces": 1,
        "edges": 1,
        "image": False,
        "crops": False,
        "messages": 0,
    }
    assert queries.picture_named(writer.redis, "7") is None


def test_a_picture_still_queued_is_not_resurrected(
    writer: Writer, capsys: pytest.CaptureFixture[str]
) -> None:
    accept(writer.redis, picture(14), "14")
    in_hand = writer.found(14)
    assert main(["erase", "14", "--yes"]) == 0
    writer.commit([in_hand])
    assert nothing_is_left(capsys, picture(14))
    assert main(["check"]) == 0
    assert queries.counts(writer.redis) == queries.Counts(4, 3, 0, 1, 0)


def test_a_failed_picture_is_erased_by_its_hash(writer: Writer, capsys: pytest.CaptureFixture[str]) -> None:
    accept(writer.redis, picture(9), "bad.jpg")
    fail(writer.redis, picture(9), "not_a_picture", "no picture at all")
    assert main(["erase", "bad.jpg", "--yes"]) == 1
    assert "erased by its hash" in capsys.readouterr().err
    assert main(["erase", picture(9), "--yes"]) == 0
    assert nothing_is_left(capsys, picture(9))


def test_the_original_goes_too(
    writer: Writer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IMAGE_STORE_URL", tmp_path.as_uri())
    image_store = ImageStore(tmp_path.as_uri())
    image_store.put(A, b"bytes of a picture")
    image_store.put_crops(A, [b"bytes of a face"])
    assert main(["erase", A, "--yes"]) == 0
    assert "removed" in capsys.readouterr().out
    assert not image_store.has(A)
    assert not image_store.has_crops(A)
    image_store.put(A, b"left behind by an erasure that was cut off")
    assert main(["check", "--residue", A]) == 1
    assert main(["erase", A, "--yes"]) == 0
    assert nothing_is_left(capsys, A)
    assert writer.redis is not None


def test_dead_letters_and_retries_go_too_and_those_of_others_stay(
    writer: Writer, broker: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(Publisher(broker)) as publisher:
        for picture_id in (A, B):
            headers, body = encode(Message(picture_id, "name", None))
            publisher.publish(DEAD, "", headers, body)
            publisher.publish("", retry_queue(600), headers, body)
    assert main(["check", "--residue", A]) == 1
    assert capsys.readouterr().out.split("\n")[-3:] == [f"queue {DEAD}", f"queue {retry_queue(600)}", ""]
    assert main(["erase", A, "--yes"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split() == ["messages", "2"]
    assert nothing_is_left(capsys, A)
    assert [found.queue for found in scan(broker)] == [DEAD, retry_queue(600)]
    assert writer.redis is not None


@pytest.fixture
def former_rung(broker: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A queue of an earlier release's retry ladder. Another rung of it never was on this RabbitMQ."""
    with closing(connect(broker)) as connection:
        with monkeypatch.context() as earlier:
            earlier.setattr(topology, "RETRY_DELAYS", (3600,))
            topology.declare(connection.channel(), broker)
        monkeypatch.setattr(topology, "FORMER_RETRY_DELAYS", (3600, 7200))
        yield retry_queue(3600)
        for delay in (3600, 7200):
            connection.channel().queue_delete(retry_queue(delay))


def test_retries_on_the_ladder_of_an_earlier_release_go_too(
    writer: Writer, broker: Settings, former_rung: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(Publisher(broker)) as publisher:
        publisher.publish("", former_rung, *encode(Message(A, "name", None)))
    assert {depth.queue: depth.ready for depth in depths(broker)}[former_rung] == 1
    assert main(["check", "--residue", A]) == 1
    assert f"queue {former_rung}" in capsys.readouterr().out
    assert main(["erase", A, "--yes"]) == 0
    assert nothing_is_left(capsys, A)
    assert writer.redis is not None


def test_erasures_at_the_same_time_each_find_their_dead_letters(broker: Settings) -> None:
    pictures = [picture(number) for number in range(12)]
    with closing(Publisher(broker)) as publisher:
        for picture_id in pictures:
            publisher.publish(DEAD, "", *encode(Message(picture_id, "name", None)))
    with ThreadPoolExecutor(6) as pool:
        removed = list(pool.map(lambda picture_id: remove_messages_of(broker, [picture_id]), pictures))
    assert removed == [1] * 12
    assert list(scan(broker)) == []


@pytest.mark.parametrize("unknown", [picture(99), "no such name"])
def test_what_is_not_known_is_told(
    unknown: str, redis: RedisClient, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["erase", unknown, "--yes"]) == 1
    output = capsys.readouterr()
    assert (output.out, unknown in output.err) == ("", True)
    assert queries.counts(redis) == queries.Counts(0, 0, 0, 0, 0)


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("Yes\n", 0), ("\n", 1), ("no\n", 1), ("", 1)])
def test_a_person_is_asked_first(
    answer: str,
    code: int,
    writer: Writer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(answer))
    assert main(["erase", A]) == code
    asked = capsys.readouterr().err.splitlines()
    assert asked == [f"{A}: done, faces: 2", "  0", "Erase it for good? [y/N] "]
    assert (A in read_all(writer.redis).encodings) == bool(code)


def test_without_a_person_it_wants_to_be_told(
    writer: Writer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert main(["erase", A]) == 2
    assert "add --yes" in capsys.readouterr().err
    assert A in read_all(writer.redis).encodings


def test_the_audit_log_has_it(writer: Writer) -> None:
    main(["erase", A, "--yes"])
    (entry,) = audit_log.last(writer.redis, 10)
    assert (entry.key, entry.did, entry.picture_id) == ("terminal", "erase", A)


PLANTED = {
    "db 2": (2, "SADD", A, "x"),
    "db 3": (3, "RPUSH", A, b"x"),
    "db 4": (4, "SADD", A, B),
    "db 4, matches of": (4, "SADD", B, A),
    "db 5": (5, "SADD", A, B),
    "db 5, matches of": (5, "SADD", B, A),
    "db 6": (6, "RPUSH", A, b"x"),
    "db 1, name": (1, "SET", "x", A),
    "attempts": (0, "HSET", "attempts", A, 1),
    "pending": (0, "HSET", f"pending:{A}", 1, "x"),
}


@pytest.mark.parametrize("where", PLANTED)
def test_whatever_is_left_anywhere_is_found(
    where: str, redis: RedisClient, capsys: pytest.CaptureFixture[str]
) -> None:
    redis.ask(PLANTED[where])
    assert main(["check", "--residue", A, "--json"]) == 1
    (place,) = json.loads(capsys.readouterr().out)["residue"]
    assert place.startswith(where)
