"""Whoever follows events while everything is killed and comes back hears of each exactly once, in order."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from pathlib import Path

import requests

from faces.store.events import stream
from local.process import until
from local.redis import RedisServer
from tests.e2e.conftest import SECONDS, Fleet
from tests.support.clients.following import Follower
from tests.support.drawing import drawing
from tests.support.processes.workers import quick_worker
from tests.support.servers.webhook_receiver import receiving

LISTENERS = 20
PICTURES = 60


def send(fleet: Fleet, number: int) -> None:
    """Send a picture until it is accepted, whatever is away."""
    while True:
        try:
            url = f"{fleet.url}/scan/image/{number}"
            if requests.post(url, data=drawing(number), timeout=60).status_code in {200, 202}:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.1)


def send_all(fleet: Fleet) -> None:
    for number in range(PICTURES):
        send(fleet, number)


def test_server_worker_and_redis_are_killed_while_many_follow(
    fleet: Fleet, redis_server: RedisServer, tmp_path: Path
) -> None:
    fleet.start("rest", FETCH_ALLOW="127.0.0.1")
    worker = quick_worker(fleet, tmp_path)
    assert until(fleet._answers, SECONDS)
    with ExitStack() as opened:
        receiver = opened.enter_context(receiving())
        hook = requests.post(f"{fleet.url}/v1/webhooks", json={"url": receiver.url}, timeout=60).json()
        receiver.secret = hook["secret"]
        port = fleet.settings.rest_port
        listeners = [opened.enter_context(Follower(port)) for _ in range(LISTENERS)]
        sending = threading.Thread(target=send_all, args=(fleet,))
        sending.start()

        def done(count: int) -> None:
            assert until(lambda: len(listeners[0].of("done")) >= count, SECONDS)

        done(5)
        fleet.processes[0].kill()
        fleet.start("rest", FETCH_ALLOW="127.0.0.1")
        done(15)
        worker.kill()
        quick_worker(fleet, tmp_path / "another")
        done(25)
        redis_server.process.kill()
        redis_server.start()
        sending.join()
        fleet.wait()
        written = [event.id for event in stream.read(fleet.redis, stream.BEGINNING, 10_000)]
        for listener in listeners:
            assert listener.has(lambda heard: heard[-1]["id"] == written[-1], SECONDS)
            assert [event["id"] for event in listener.events] == written
            assert len({event["hash"] for event in listener.of("done")}) == PICTURES
            assert listener.connections >= 2
        assert until(lambda: written[-1] in [message["id"] for message in receiver.messages], SECONDS)
        assert list(dict.fromkeys(message["id"] for message in receiver.messages)) == written
    kinds = [event["kind"] for event in listeners[0].events]
    assert kinds.count("done") == PICTURES
