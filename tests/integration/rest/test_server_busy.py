"""The server as a process whose threads are held up, and what it answers meanwhile."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from faces.config import Settings
from faces.picture_id import picture_id_of
from local.process import free_port, until
from tests.support.clients.slow_clients import slow_clients, stalled_host
from tests.support.clients.sockets import PLAIN, answer_on, ask, connected, head
from tests.support.drawing import drawing
from tests.support.server import running


def test_short_requests_are_answered_while_fetches_uploads_and_silent_connections_hang(
    settings: Settings, tmp_path: Path
) -> None:
    """Ten times as many of each as the server has threads for."""
    ours = replace(settings, rest_port=free_port())
    plain = f"GET /match/{'0' * 64} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    with (
        running(ours, tmp_path, FETCH_ALLOW="127.0.0.1", FETCH_TIMEOUT="60", REST_THREADS="2"),
        stalled_host() as url,
        slow_clients(ours.rest_port, 20, url),
    ):
        answers = [ask(ours.rest_port, plain) for _ in range(20)]
        assert [(answer.status, answer.body) for answer in answers] == [(200, b"[]\n")] * 20
        more = json.dumps({"url": url}).encode()
        refused = ask(ours.rest_port, head(len(more), "/scan/url") + more)
        assert (refused.status, refused.code, refused.headers["retry-after"]) == (503, "busy", "5")
        data = drawing()
        assert ask(ours.rest_port, head(len(data)) + data).status == 202


def test_short_requests_are_answered_while_senders_wait_for_a_silent_rabbitmq(
    settings: Settings, tmp_path: Path
) -> None:
    data = drawing()
    picture = head(len(data)) + data
    plain = f"GET /match/{'0' * 64} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()
    with stalled_host() as url:
        silent = replace(settings, rest_port=free_port(), rabbitmq_port=int(url.split(":")[2].split("/")[0]))
        with (
            running(silent, tmp_path, REST_THREADS="2", PUBLISH_TIMEOUT="8"),
            ThreadPoolExecutor(30) as senders,
        ):
            sent = [senders.submit(ask, silent.rest_port, picture) for _ in range(30)]
            assert until(lambda: sum(one.done() for one in sent) == 26, 7), "four wait for RabbitMQ"
            assert ask(silent.rest_port, plain).status == 200
            assert sum(one.done() for one in sent) == 26
            refused = [one.result() for one in sent if one.done()]
            assert {(answer.status, answer.code) for answer in refused} == {(503, "unavailable")}


def requested(method: str, path: str) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()


def test_short_requests_are_answered_while_others_look_into_the_queues_of_a_silent_rabbitmq(
    settings: Settings, tmp_path: Path
) -> None:
    """Two threads for short requests: two erasures and one look wait for RabbitMQ, the others are refused."""
    asking = [
        *(requested("DELETE", f"/v1/{kind}/{n:064}") for kind in ("images", "pictures") for n in range(10)),
        *(requested("GET", f"/v1/{kind}") for kind in ("dead-letters", "stats") for _ in range(10)),
    ]
    with stalled_host() as url:
        silent = replace(settings, rest_port=free_port(), rabbitmq_port=int(url.split(":")[2].split("/")[0]))
        with (
            running(silent, tmp_path, REST_THREADS="2", PUBLISH_TIMEOUT="8"),
            ThreadPoolExecutor(40) as others,
        ):
            asked = [others.submit(ask, silent.rest_port, one) for one in asking]
            assert until(lambda: sum(one.done() for one in asked) == 37, 7), "three wait for RabbitMQ"
            assert ask(silent.rest_port, requested("GET", f"/match/{'0' * 64}")).status == 200
            waiting = [number for number, one in enumerate(asked) if not one.done()]
            assert [number < 20 for number in waiting] == [True, True, False]
            refused = [one.result() for one in asked if one.done()]
            assert {(answer.status, answer.code, answer.headers["retry-after"]) for answer in refused} == {
                (503, "busy", "5")
            }


def test_clients_that_do_not_read_a_large_answer_hold_nobody_up(settings: Settings, tmp_path: Path) -> None:
    """More of them than the server has threads."""
    ours = replace(settings, rest_port=free_port())
    data = drawing(size=(1500, 1000), kind="BMP")
    with (
        ExitStack() as opened,
        running(ours, tmp_path, IMAGE_STORE_URL=f"file://{tmp_path}", REST_THREADS="1"),
    ):
        assert ask(ours.rest_port, head(len(data)) + data).status == 202
        url = f"/v1/images/{picture_id_of(data)}/picture"
        get = f"GET {url} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        slow = [opened.enter_context(connected(ours.rest_port, get.encode())) for _ in range(10)]
        assert ask(ours.rest_port, PLAIN).status == 200
        for connection in slow[:2]:
            assert answer_on(connection).body == data
