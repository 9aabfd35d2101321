"""Following events over HTTP, from a server process."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import requests
from redis import Redis
from websockets.sync.client import connect

from faces.config import Settings
from faces.store.client import RedisClient
from faces.store.events import stream
from faces.store.pictures.accept import accept
from faces.store.pictures.commit import DetectionResult
from faces.store.pictures.erase import erase
from faces.store.pictures.fail import fail
from local.process import free_port, until
from tests.support.clients.following import Follower
from tests.support.server import running
from tests.support.writing import Writer, picture


@pytest.fixture
def port(store_settings: Settings, tmp_path: Path) -> Iterator[int]:
    """Port of a server on an empty Redis; it needs no RabbitMQ here."""
    settings = replace(store_settings, rabbitmq_port=free_port(), rest_port=free_port())
    with running(settings, tmp_path):
        yield settings.rest_port


def test_a_listener_hears_of_everything_in_order_and_once(port: int, redis: RedisClient) -> None:
    with Follower(port) as listener:
        writer = Writer(redis)
        writer.add(1)
        accept(redis, picture(2), "broken")
        fail(redis, picture(2), "damaged", "it is cut short")
        accept(redis, picture(3), "empty")
        writer.commit([DetectionResult(picture(3))])
        erase(redis, picture(1))
        assert listener.has(lambda heard: len(heard) == 7)
    assert [event["kind"] for event in listener.events] == [
        "accepted",
        "done",
        "accepted",
        "failed",
        "accepted",
        "no_face",
        "erased",
    ]
    assert listener.of("done")[0]["names"] == ["1"]
    assert listener.of("failed")[0]["code"] == "damaged"


def test_a_listener_is_sent_what_it_asked_for(port: int, redis: RedisClient) -> None:
    with (
        Follower(port, "?kind=done&kind=erased&prefix=8") as some,
        Follower(port, f"?hash={picture(1)}") as one,
        Follower(port, "?person=7") as person,
    ):
        Writer(redis).add(1, 8, 2)
        erase(redis, picture(8))
        assert some.has(lambda heard: len(heard) == 2)
        assert one.has(lambda heard: len(heard) == 2)
    assert [(e["kind"], e["hash"]) for e in some.events] == [("done", picture(8)), ("erased", picture(8))]
    assert {event["hash"] for event in one.events} == {picture(1)}
    assert person.events == []


def test_who_comes_again_with_the_last_id_misses_nothing(port: int, redis: RedisClient) -> None:
    with Follower(port) as first:
        _note(redis, 1)
        assert first.has(lambda heard: len(heard) == 1)
    _note(redis, 1200)  # more than two pages
    with Follower(port, f"?after={first.last_id}") as second:
        assert second.has(lambda heard: len(heard) == 1200)
        _note(redis, 1)
        assert second.has(lambda heard: len(heard) == 1201)
    ids = [event["id"] for event in first.events + second.events]
    assert len(set(ids)) == len(ids) == 1202


def test_a_gap_is_told_and_what_is_left_follows(port: int, redis: RedisClient) -> None:
    writer = Writer(redis)
    with Follower(port) as up_to_date:  # what the server has not read itself would be a gap for everybody
        writer.add(1, 2)
        assert up_to_date.has(lambda heard: len(heard) == 4)
    redis.ask((0, "XTRIM", "events", "MAXLEN", 1))
    with Follower(port, "?after=1-1") as listener:
        assert listener.has(lambda heard: len(heard) == 2)
    assert [(event["kind"], event.get("hash")) for event in listener.events] == [
        ("gap", None),
        ("done", picture(2)),
    ]


@pytest.mark.parametrize("disconnecting", [True, False])
def test_a_redis_that_was_emptied_is_told_as_a_gap(
    port: int, redis: RedisClient, store_settings: Settings, *, disconnecting: bool
) -> None:
    with Follower(port) as listener:
        accept(redis, picture(1), "a")
        assert listener.has(lambda heard: len(heard) == 1)
        with Redis(port=store_settings.redis_port) as client:
            client.flushall()
            if disconnecting:
                client.client_kill_filter(_type="normal", skipme=True)  # as a restart would
        assert listener.has(lambda heard: heard[-1]["kind"] == "gap")
        accept(redis, picture(2), "b")
        assert listener.has(lambda heard: heard[-1].get("hash") == picture(2))


@pytest.mark.parametrize(
    ("query", "said"), [("kind=x", "not a kind of event"), ("after=x", "not the id"), ("a=b", "a")]
)
def test_what_cannot_be_followed_is_refused(port: int, query: str, said: str) -> None:
    answer = requests.get(f"http://127.0.0.1:{port}/v1/events?{query}", timeout=60)
    assert answer.status_code == 400
    assert said in answer.json()["detail"]


def test_the_websocket_has_exactly_the_message_that_its_clients_know(port: int, redis: RedisClient) -> None:
    with connect(f"ws://127.0.0.1:{port}/faces") as client:
        writer = Writer(redis)
        accept(redis, picture(3), "empty")
        writer.commit([DetectionResult(picture(3))])  # no face: no message
        writer.add(2)
        message = json.loads(client.recv(timeout=60))
        assert client.ping().wait(60)
    assert list(message) == ["message", "created_at", "processed_at", "faces_count", "image_url"]
    assert message["message"] == "Successful face detection"
    for moment in (message["created_at"], message["processed_at"]):
        assert datetime.fromisoformat(moment).isoformat(timespec="microseconds") == moment
        assert moment.endswith("+00:00")
    assert message["faces_count"] == 2
    assert message["image_url"] == f"http://127.0.0.1:{port}/v1/images/{picture(2)}/annotated"


def test_faces_without_an_upgrade_is_refused(port: int) -> None:
    assert requests.get(f"http://127.0.0.1:{port}/faces", timeout=60).status_code == 400


def test_many_listeners_occupy_no_thread_and_one_that_does_not_read_is_dropped(
    port: int, redis: RedisClient
) -> None:
    """The server has four threads."""
    request = b"GET /v1/events?kind=%s HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with ExitStack() as opened, Follower(port) as listener:
        for kind in [b"erased"] * 39 + [b"accepted"]:
            idle = opened.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60))
            idle.sendall(request % kind)
        assert requests.get(f"http://127.0.0.1:{port}/match/{picture(1)}", timeout=60).json() == []
        redis.ask((0, "HSET", f"pending:{picture(1)}", 1, "n" * 10_000))  # a name, read with each event
        for round_ in range(1, 25):  # 12 MB, of which the kernel holds some
            _note(redis, 50)
            assert listener.has(lambda heard, count=50 * round_: len(heard) == count)  # type: ignore[misc]
        assert until(lambda: _dropped(idle), 60)
    assert listener.connections == 1


def _note(redis: RedisClient, count: int) -> None:
    redis.ask(*[stream.note("accepted", picture(1))] * count)


def _dropped(connection: socket.socket) -> bool:
    """Tell whether the other side has reset the connection; what had come before is read away."""
    try:
        while data := connection.recv(1 << 20):
            assert data
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True
    return True
