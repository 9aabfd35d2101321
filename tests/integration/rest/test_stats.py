"""`/v1/stats`, and the rates in it."""

from __future__ import annotations

import os
import socket
import threading
import time

import pytest
from flask.testing import FlaskClient

from faces.config import Settings
from faces.store import workers
from faces.store.client import RedisClient
from faces.store.collection import totals
from faces.store.keys import HOME, WORKERS
from faces.store.pictures import queries
from faces.store.pictures.accept import accept
from faces.store.pictures.fail import fail
from local.process import free_port, until
from rest.metrics.rates import Rates
from tests.support.committing import Worker, found, picture
from tests.support.server import PICTURE, serving
from worker.presence import Activity, Presence


def test_the_fleet_at_a_moment(client: FlaskClient, redis: RedisClient) -> None:
    for number in range(4):
        accept(redis, picture(number), str(number))
    Worker(redis).commit(found(0, 1, 2), found(1, 1))
    fail(redis, picture(2), "truncated", "it is cut short")
    client.post("/v1/images", data=PICTURE)
    stats = client.get("/v1/stats").get_json()
    assert stats["pictures"] == {"accepted": 5, "done": 2, "failed": 1, "erased": 0, "in_flight": 2}
    assert (stats["faces"], stats["matches"], stats["exact"]) == (3, 1, True)
    assert (stats["model"], stats["tolerance"], stats["workers"]) == ("test", 0.6, 0)
    waiting = {queue["name"]: queue["ready"] for queue in stats["queues"]}
    assert (waiting["pictures"], waiting["videos"]) == (1, 0)
    assert 0 <= stats["oldest_in_flight_seconds"] < 60


def test_without_rabbitmq_the_rest_is_told(settings: Settings) -> None:
    with serving(settings, rabbitmq_port=free_port()) as client:
        stats = client.get("/v1/stats").get_json()
    assert (stats["queues"], stats["workers"]) == (None, None)
    assert stats["pictures"]["accepted"] == 0


def test_a_large_collection_is_estimated(redis: RedisClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(40):
        accept(redis, picture(number), str(number))
    Worker(redis).commit(*(found(n, 100 + n, 200 + n) for n in range(40)))
    monkeypatch.setattr(totals, "SAMPLE", 20)
    estimated = totals.totals(redis)
    assert (estimated.faces, estimated.exact) == (80, False)  # every picture has two


def test_rates_are_of_the_last_minutes(redis: RedisClient) -> None:
    rates = Rates(redis)
    rates.look(0)
    assert rates.per_second(1) is None
    accept(redis, picture(0), "long ago")
    rates.look(1000)
    for number in range(1, 7):
        accept(redis, picture(number), str(number))
    rates.look(1060)
    assert rates.per_second(1) == {"accepted": 0.1, "done": 0.0, "failed": 0.0}
    assert rates.per_second(15) == {"accepted": 0.1, "done": 0.0, "failed": 0.0}
    rates.look(1120)
    assert rates.per_second(1) == {"accepted": 0.0, "done": 0.0, "failed": 0.0}


def test_closing_waits_for_the_look_at_hand(redis: RedisClient, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, ended = threading.Event(), threading.Event()

    def slow(_: RedisClient) -> queries.Counts:
        begun.set()
        time.sleep(0.2)
        ended.set()
        return queries.Counts(0, 0, 0, 0, 0)

    monkeypatch.setattr(queries, "counts", slow)
    rates = Rates(redis).start()
    assert begun.wait(60)
    rates.close()
    assert ended.is_set()


def reported(client: FlaskClient) -> list[tuple[str, int, int]]:
    found = client.get("/v1/stats").get_json()["worker_details"]
    return [(worker["state"], worker["pictures"], worker["settled"]) for worker in found]


def test_workers_say_what_they_do_and_when_they_end(
    client: FlaskClient, redis: RedisClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "REPORT_EVERY", 0.05)
    activity, ready = Activity(), ["waiting for RabbitMQ"]
    presence = Presence(redis, activity, model="test", ready=lambda: ready[0], faces=lambda: 7)
    presence.start()
    assert until(lambda: reported(client) == [("waiting for RabbitMQ", 0, 0)], 60)
    ready[0] = "ready"
    with activity.processing(3):
        assert until(lambda: reported(client) == [("busy", 3, 0)], 60)
    activity.settled = 3
    assert until(lambda: reported(client) == [("idle", 0, 3)], 60)
    (worker,) = client.get("/v1/stats").get_json()["worker_details"]
    assert (worker["host"], worker["pid"]) == (socket.gethostname(), os.getpid())
    assert (worker["model"], worker["faces"]) == ("test", 7)
    presence.close()
    assert reported(client) == []


def test_a_worker_that_fell_silent_is_left_out(
    client: FlaskClient, redis: RedisClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "LASTS", 1)
    presence = Presence(redis, Activity(), model="test", ready=lambda: "ready", faces=lambda: 0)
    presence.start()
    assert until(lambda: reported(client) == [("idle", 0, 0)], 60)
    assert until(lambda: reported(client) == [], 60)
    assert redis.ask((HOME, "SCARD", WORKERS)) == [0]
    presence.close()
