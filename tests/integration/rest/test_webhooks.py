"""Webhooks: in order, at least once, signed, tried again, paused, replayed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from faces.config import Settings
from faces.store.client import RedisClient
from faces.store.events import stream, webhooks
from faces.store.keys import HOME, WEBHOOK_PROGRESS, WEBHOOKS
from faces.store.pictures.accept import accept
from local.process import free_port, until
from rest.events import deliverer
from rest.events.deliverer import Deliverer
from rest.events.follower import Follower
from rest.fetching.fetcher import Fetcher
from tests.support.server import running
from tests.support.servers.webhook_receiver import Receiver, receiving
from tests.support.writing import Writer, picture


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def follower(redis: RedisClient) -> Iterator[Follower]:
    found = Follower(redis).start()
    yield found
    found.close()


@pytest.fixture
def deliver(redis: RedisClient, follower: Follower, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deliverer]:
    monkeypatch.setattr(deliverer, "DELAYS", (0.05, 0.1))
    monkeypatch.setattr(deliverer, "LOOK", 0.05)
    post = Fetcher(max_bytes=0, total_timeout=5, allow=["127.0.0.1"]).post
    found = Deliverer(redis, follower, post).start()
    yield found
    found.close()


def registered(redis: RedisClient, receiver: Receiver, **wanted: Any) -> webhooks.Webhook:
    receiver.secret = "whsec_" + "A" * 43 + "="
    hook = webhooks.Webhook(id="", url=receiver.url, secret=receiver.secret, **wanted)
    return webhooks.add(redis, hook, stream.latest(redis))


def state(redis: RedisClient, hook: webhooks.Webhook) -> webhooks.Progress:
    return webhooks.progress(redis)[hook.id]


def test_every_event_comes_signed_in_order_and_with_its_id(
    redis: RedisClient, deliver: Deliverer, receiver: Receiver
) -> None:
    registered(redis, receiver)
    Writer(redis).add(1, 8, 2)
    assert until(lambda: len(receiver.messages) == 6, 60)
    ids = [message["id"] for message in receiver.messages]
    assert ids == [event.id for event in stream.read(redis, stream.BEGINNING)]
    assert receiver.messages[3]["data"]["names"] == ["1"]
    assert receiver.forged == 0


def test_a_hook_gets_what_it_asked_for(redis: RedisClient, deliver: Deliverer, receiver: Receiver) -> None:
    registered(redis, receiver, kinds=("done",), prefix="8")
    Writer(redis).add(1, 8, 2)
    assert until(lambda: len(receiver.messages) == 1, 60)
    assert receiver.messages[0]["data"]["hash"] == picture(8)


def test_what_fails_is_tried_again_until_it_is_taken_and_the_order_stays(
    redis: RedisClient, deliver: Deliverer, receiver: Receiver
) -> None:
    hook = registered(redis, receiver)
    receiver.status = 500
    for number in range(3):
        accept(redis, picture(number), str(number))
    assert until(lambda: state(redis, hook).failures >= 2, 60)
    assert state(redis, hook).error == "it answered with status 500"
    assert {message["data"]["hash"] for message in receiver.refused} == {picture(0)}
    receiver.status = 200
    assert until(lambda: len(receiver.messages) == 3, 60)
    assert [m["data"]["hash"] for m in receiver.messages] == [picture(number) for number in range(3)]
    assert state(redis, hook).failures == 0


def test_a_hook_that_fails_for_a_day_or_is_gone_is_paused_and_can_be_replayed(
    redis: RedisClient, deliver: Deliverer, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = registered(redis, receiver)
    receiver.status = 500
    monkeypatch.setattr(deliverer, "GIVE_UP", 0.2)
    accept(redis, picture(1), "a")
    assert until(lambda: state(redis, hook).paused, 60)
    receiver.status = 410
    webhooks.replay(redis, hook.id, stream.BEGINNING)
    assert until(lambda: state(redis, hook).paused, 60)
    receiver.status = 200
    webhooks.replay(redis, hook.id, stream.BEGINNING)
    assert until(lambda: receiver.kinds() == ["accepted"], 60)
    webhooks.replay(redis, hook.id, stream.BEGINNING)
    assert until(lambda: receiver.kinds() == ["accepted"] * 2, 60)


def test_one_hook_that_fails_keeps_no_other_waiting(
    redis: RedisClient, deliver: Deliverer, receiver: Receiver
) -> None:
    away = webhooks.Webhook(id="", url=f"http://127.0.0.1:{free_port()}/", secret="whsec_" + "A" * 43 + "=")
    other = webhooks.add(redis, away, stream.latest(redis))
    registered(redis, receiver)
    for number in range(5):
        accept(redis, picture(number), str(number))
    assert until(lambda: len(receiver.messages) == 5, 60)
    assert until(lambda: "does not answer" in state(redis, other).error, 60)


def test_one_that_is_damaged_keeps_no_other_waiting(
    redis: RedisClient, deliver: Deliverer, receiver: Receiver
) -> None:
    redis.ask(
        (HOME, "HSET", WEBHOOKS, "x", "{", "y", '{"id": "y"}'), (HOME, "HSET", WEBHOOK_PROGRESS, "x", "[")
    )
    hook = registered(redis, receiver)
    accept(redis, picture(1), "a")
    assert until(lambda: receiver.kinds() == ["accepted"], 60)
    assert webhooks.every(redis) == [hook]


def test_lost_events_are_told_by_a_message(
    redis: RedisClient, follower: Follower, receiver: Receiver, deliver: Deliverer
) -> None:
    for number in range(5):
        accept(redis, picture(number), str(number))
    hook = registered(redis, receiver)
    redis.ask((0, "XTRIM", "events", "MAXLEN", 2))
    webhooks.replay(redis, hook.id, "1-1")
    assert until(lambda: len(receiver.messages) == 3, 60)
    assert receiver.kinds() == ["gap", "accepted", "accepted"]


def test_two_servers_post_each_event_once(
    redis: RedisClient, follower: Follower, deliver: Deliverer, receiver: Receiver
) -> None:
    post = Fetcher(max_bytes=0, total_timeout=5, allow=["127.0.0.1"]).post
    other = Deliverer(redis, follower, post).start()
    registered(redis, receiver)
    for number in range(20):
        accept(redis, picture(number), str(number))
    assert until(lambda: len(receiver.messages) >= 20, 60)
    other.close()
    assert [m["data"]["hash"] for m in receiver.messages] == [picture(number) for number in range(20)]


def test_a_removed_hook_gets_nothing_more(redis: RedisClient, deliver: Deliverer, receiver: Receiver) -> None:
    hook = registered(redis, receiver)
    accept(redis, picture(1), "a")
    assert until(lambda: len(receiver.messages) == 1, 60)
    assert webhooks.remove(redis, hook.id)
    follower_sees = registered(redis, receiver, kinds=("failed",))
    accept(redis, picture(2), "b")
    assert until(lambda: state(redis, follower_sees).after == stream.latest(redis), 60)
    assert len(receiver.messages) == 1


def test_the_secret_is_shown_once_and_private_addresses_are_refused(
    store_settings: Settings, tmp_path: Path, receiver: Receiver, redis: RedisClient
) -> None:
    settings = replace(store_settings, rabbitmq_port=free_port(), rest_port=free_port())
    url = f"http://127.0.0.1:{settings.rest_port}/v1/webhooks"
    with running(settings, tmp_path, FETCH_ALLOW="127.0.0.1"):
        new = requests.post(url, json={"url": receiver.url}, timeout=60)
        assert new.status_code == 201
        receiver.secret = new.json()["secret"]
        (shown,) = requests.get(url, timeout=60).json()["webhooks"]
        assert "secret" not in shown
        accept(redis, picture(1), "a")
        assert until(lambda: receiver.kinds() == ["accepted"], 60)
        replayed = requests.post(f"{url}/{shown['id']}/replay", json={"after": "0-0"}, timeout=60)
        assert replayed.status_code == 200
        assert until(lambda: receiver.kinds() == ["accepted"] * 2, 60)
        private = requests.post(url, json={"url": "http://10.0.0.1/"}, timeout=60)
        assert (private.status_code, private.json()["code"]) == (403, "address_not_allowed")
        for wrong in ({"url": receiver.url, "secret": "guess"}, {"url": receiver.url, "kinds": ["x"]}, {}):
            assert requests.post(url, json=wrong, timeout=60).status_code == 400
        assert requests.delete(f"{url}/{shown['id']}", timeout=60).status_code == 204
        assert requests.delete(f"{url}/{shown['id']}", timeout=60).status_code == 404
    assert receiver.secret not in (tmp_path / "rest.log").read_text()
