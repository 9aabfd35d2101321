"""Many messages, confirmed together: by a RabbitMQ that takes all, or some, or goes away in between."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace

import pytest

from benchmarks.system.proxy import Proxy
from faces.config import Settings
from faces.errors import BrokerError
from faces.messaging.amqp import Publisher, connect, is_full
from faces.messaging.message import Message, encode
from faces.messaging.topology import PICTURE_KEY, PICTURES_EXCHANGE
from faces.picture_id import picture_id_of
from faces.store.client import RedisClient
from faces.store.pictures import queries
from tests.support.drawing import drawing
from tests.support.rules import faults, read_all
from tests.support.server import queued, serving

LAST = b"the end of a message"
LARGE = bytes(4 << 20) + LAST  # some seconds of a slow network: what was sent before is confirmed meanwhile


class Dying(Proxy):
    """Cuts the connection as its proxy does, and has no other after it."""

    def passes(self, piece: bytes) -> tuple[bytes, bool]:
        goes_on, lives = super().passes(piece)
        self.refusing |= not lives
        return goes_on, lives


@pytest.fixture
def proxy(settings: Settings) -> Iterator[Dying]:
    with Dying(settings.rabbitmq_port) as proxy:
        yield proxy


def all_of(opened: Publisher, *bodies: bytes) -> list[BrokerError | None]:
    messages = [Message(picture_id_of(body), str(place), body) for place, body in enumerate(bodies)]
    return opened.publish_all(PICTURES_EXCHANGE, PICTURE_KEY, list(map(encode, messages)))


def test_all_are_confirmed_and_queued_in_order(settings: Settings) -> None:
    bodies = [b"%d" % number for number in range(300)]
    with closing(Publisher(settings)) as opened:
        assert all_of(opened, *bodies) == [None] * 300
        assert all_of(opened, b"more") == [None]
        assert all_of(opened) == []
    assert [message.data for message in queued(settings)] == [*bodies, b"more"]


def test_what_a_lost_connection_has_not_confirmed_is_sent_again_on_another(settings: Settings) -> None:
    with (
        Proxy(settings.rabbitmq_port) as proxy,
        closing(Publisher(replace(settings, rabbitmq_port=proxy.port))) as opened,
    ):
        assert all_of(opened, b"first") == [None]
        proxy.delay = 0.01
        proxy.cut_once_at(LAST, passed_on=False)
        assert all_of(opened, b"a", LARGE, b"b") == [None] * 3
        assert proxy.cuts == 1
    assert [message.data for message in queued(settings)] == [b"first", b"a", LARGE, b"b"]


def test_of_a_broker_that_confirms_some_and_dies_only_those_are_taken(
    settings: Settings, proxy: Dying
) -> None:
    with closing(Publisher(replace(settings, rabbitmq_port=proxy.port))) as opened:
        assert all_of(opened, b"first") == [None]
        proxy.delay = 0.01
        proxy.cut_once_at(LAST, passed_on=False)
        taken, *lost = all_of(opened, b"a", LARGE, b"b")
        assert taken is None
        assert [type(error) for error in lost] == [BrokerError] * 2
        proxy.refusing = False
        assert all_of(opened, b"c") == [None]
    assert [message.data for message in queued(settings)] == [b"first", b"a", b"c"]


def test_a_full_queue_takes_some_and_refuses_the_others(settings: Settings) -> None:
    with closing(connect(settings)) as connection, closing(Publisher(settings)) as opened:
        channel = connection.channel()
        limits = {"x-max-length": 2, "x-overflow": "reject-publish"}
        queue = channel.queue_declare("", exclusive=False, auto_delete=False, arguments=limits).method.queue
        answers = opened.publish_all("", queue, [({"number": number}, b"") for number in range(50)])
        refused = [error for error in answers if error is not None]
        assert 0 < len(refused) <= 48
        assert all(map(is_full, refused))
        assert channel.queue_declare(queue, passive=True).method.message_count == 50 - len(refused)
        again = opened.publish_all("", queue, [({}, b"")])
        assert [error is not None and is_full(error) for error in again] == [True]
        channel.queue_delete(queue)


def test_what_no_queue_takes_is_refused_and_the_next_is_taken(settings: Settings) -> None:
    with closing(Publisher(settings)) as opened:
        answers = opened.publish_all("", "no such queue", [({}, b"a"), ({}, b"b")])
        assert ["no queue" in str(error) for error in answers] == [True, True]
        assert all_of(opened, b"c") == [None]
    assert [message.data for message in queued(settings)] == [b"c"]


def test_pictures_of_an_archive_that_rabbitmq_did_not_confirm_are_refused_alone(
    settings: Settings, proxy: Dying, redis: RedisClient
) -> None:
    pictures = {"a": drawing(1), "large": drawing(2) + LARGE[-(3 << 20) :], "b": drawing(3)}
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, data in pictures.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    with serving(settings, rabbitmq_port=proxy.port) as client:
        assert client.post("/v1/images", data=drawing(0)).status_code == 202
        proxy.delay = 0.01
        proxy.cut_once_at(LAST, passed_on=False)
        answer = client.post("/v1/images", data=made.getvalue(), content_type="application/x-tar")
    problems = [item["problem"] and item["problem"]["code"] for item in answer.get_json()["items"]]
    assert problems == [None, "unavailable", "unavailable"]
    assert (answer.get_json()["accepted"], answer.get_json()["refused"]) == (1, 2)
    assert [message.data for message in queued(settings)] == [drawing(0), pictures["a"]]
    states = queries.statuses(redis, [picture_id_of(data) for data in pictures.values()])
    assert [status and status.state for status in states] == ["pending", None, None]
    assert queries.counts(redis) == queries.Counts(2, 0, 0, 0, 2)
    assert faults(read_all(redis)) == []
