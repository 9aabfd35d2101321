"""The server as a process, spoken to over plain sockets by clients that behave badly."""

from __future__ import annotations

import re
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from faces import api_key
from faces.config import Settings
from faces.store.client import RedisClient
from faces.store.pictures import queries
from local.process import Process, free_port, until
from tests.conftest import environ
from tests.support.clients.slow_clients import read_up
from tests.support.clients.sockets import CHUNKED, PLAIN, answer_on, ask, connected, head
from tests.support.drawing import drawing
from tests.support.server import running

SECONDS = 1.5  # for a request to arrive


def test_a_format_that_cannot_be_read_forbids_the_start(tmp_path: Path) -> None:
    process = Process("rest", tmp_path)
    process.start(
        [sys.executable, "-m", "rest"], environ(Settings(), tmp_path) | {"PICTURE_FORMATS": "JPEG,XCF"}
    )
    assert until(process.ended, 60)
    assert process.exit_code == 2
    assert process.last_lines(9).startswith("rest: unknown picture format XCF: choose from AVIF, ")


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Port of a server that does without Redis and RabbitMQ."""
    away = Settings(redis_port=free_port(), rabbitmq_port=free_port(), rest_port=free_port())
    limits = {"REQUEST_TIMEOUT": str(SECONDS), "MAX_PICTURE_BYTES": "100000"}
    with running(away, tmp_path_factory.mktemp("server"), **limits):
        yield away.rest_port


@pytest.mark.parametrize(
    "pieces",
    [
        (head(50_000), b"."),
        (head(100, "/scan/url"), b"{"),
        (CHUNKED, b"1\r\n.\r\n"),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ", b"."),
        (b"G",),
    ],
    ids=["body", "JSON", "chunks", "headers", "request line"],
)
def test_a_request_that_drips_is_ended_with_a_clear_answer(port: int, pieces: tuple[bytes, ...]) -> None:
    answer = ask(port, *pieces, pause=0.1)
    assert (answer.status, answer.code) == (408, "request_timeout")
    assert SECONDS <= answer.seconds < SECONDS + 8  # it is looked after once a second


def test_a_request_that_stops_is_ended_too(port: int) -> None:
    assert ask(port, head(1000), b"begun").status == 408


def test_clients_that_go_on_sending_after_their_answer_are_ended_and_hold_nobody_up(port: int) -> None:
    with ExitStack() as opened, ThreadPoolExecutor(12) as others:
        connections = [opened.enter_context(connected(port, b"nonsense\r\n\r\n")) for _ in range(12)]
        assert {answer_on(connection).status for connection in connections} == {400}
        going_on = [others.submit(go_on, connection) for connection in connections]
        answer = ask(port, PLAIN)
        assert (answer.status, answer.seconds < 15) == (200, True)  # one after the other they would take 24 s
        assert all(job.result() for job in going_on)


def go_on(connection: socket.socket) -> bool:
    """Send a byte ten times a second; return whether the server ended it within half a minute."""
    with suppress(OSError):
        for _ in range(300):
            connection.sendall(b".")
            time.sleep(0.1)
        return False
    return True


def test_who_guesses_keys_is_told_to_wait_whatever_address_is_claimed(
    store_settings: Settings, tmp_path: Path
) -> None:
    settings = replace(store_settings, rabbitmq_port=free_port(), rest_port=free_port())
    guesses = [
        head(0, "/scan/image/a", f"X-Forwarded-For: 192.0.2.{n}", f"X-API-Key: {api_key.create('', ())[1]}")
        for n in range(32)
    ]
    with running(settings, tmp_path, API_KEYS="required"):
        answers = [ask(settings.rest_port, guess) for guess in guesses]
    assert [answer.status for answer in answers] == [401] * 30 + [429] * 2
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 120


@pytest.mark.parametrize(
    ("request_bytes", "expected"),
    [
        (b"nonsense\r\n\r\n", (400, "bad_request")),
        (b"GET / HTTP/1.1\r\nHost: a\r\nbad header\r\n\r\n", (400, "bad_request")),
        (b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\n\r\n", (414, "request_uri_too_long")),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 60 + b"\r\n", (431, "request_header_fields_too_large")),
        (b"GET / HTTP/1.1\r\nA: " + b"x" * 9000 + b"\r\n\r\n", (431, "request_header_fields_too_large")),
        (head(200_000) + bytes(10), (413, "too_large")),
        (CHUNKED + b"186a1\r\n" + bytes(100_001) + b"\r\n0\r\n\r\n", (413, "too_large")),
        (CHUNKED + b"nonsense\r\n", (400, "bad_request")),
        (head(10, "/scan/url") + b"[" * 10, (400, "bad_request")),
        (head(50_000, "/scan/url") + b"[" * 50_000, (400, "bad_request")),
        (b"PATCH / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", (405, "method_not_allowed")),
        (b"GET /%ff%00 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", (404, "not_found")),
    ],
    ids=lambda value: str(value)[:50],
)
def test_every_refusal_is_json_and_tells_nothing_of_the_server(
    port: int, request_bytes: bytes, expected: tuple[int, str]
) -> None:
    answer = ask(port, request_bytes)
    assert (answer.status, answer.code) == expected
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["cache-control"] == "no-store"
    everything = (str(answer.headers) + answer.body.decode()).lower()
    assert not any(word in everything for word in ("gunicorn", "werkzeug", "python", "traceback", "rest/"))


def test_head_and_options_are_as_one_expects(port: int) -> None:
    plain = "HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    answer = ask(port, f"HEAD / {plain}".encode())
    assert (answer.status, answer.body) == (200, b"")
    answer = ask(port, f"OPTIONS /scan/url {plain}".encode())
    assert (answer.status, answer.body) == (200, b"")
    assert set(answer.headers["allow"].split(", ")) == {"POST", "OPTIONS"}


def test_a_slow_but_timely_picture_is_taken(settings: Settings, tmp_path: Path) -> None:
    """One connection for two requests, both in pieces."""
    ours = replace(settings, rest_port=free_port())
    data = drawing()
    with running(ours, tmp_path), socket.create_connection(("127.0.0.1", ours.rest_port), 20) as connection:
        for name in ("first", "second"):
            request = head(len(data), f"/scan/image/{name}").replace(b"Connection: close\r\n", b"") + data
            for start in range(0, len(request), 1000):
                connection.sendall(request[start : start + 1000])
                assert until(lambda: read_up(ours.rest_port), 60, pause=0.001)
            raw = b""
            while not raw.endswith(b"}\n"):
                raw += connection.recv(65536)
            assert raw.startswith(b"HTTP/1.1 202")
    with closing(RedisClient(ours)) as redis:
        assert queries.counts(redis).accepted == 1


def test_beyond_loopback_a_key_is_needed_and_the_first_one_is_printed(
    settings: Settings, tmp_path: Path
) -> None:
    ours = replace(settings, rest_port=free_port())
    with running(ours, tmp_path, REST_HOST="0.0.0.0") as process:  # noqa: S104 -- that is the case
        assert until(lambda: "ff_" in process.log.read_text(), 60)
        (token,) = [word for word in process.log.read_text().split() if word.startswith("ff_")]
        assert ask(ours.rest_port, b"GET /match/a HTTP/1.1\r\nConnection: close\r\n\r\n").status == 401
        shown = f"GET /match/a HTTP/1.1\r\nX-API-Key: {token}\r\nConnection: close\r\n\r\n".encode()
        assert ask(ours.rest_port, shown).status == 200


def test_uploads_too_large_to_be_gathered_have_a_bound_of_their_own(port: int) -> None:
    """Half as many as threads are read, until it takes too long; others are refused meanwhile."""
    archive = head(200_000, "/v1/images", "Content-Type: application/x-tar") + b"."
    with ExitStack() as opened:
        uploads = [opened.enter_context(connected(port, archive)) for _ in range(4)]
        answers = [answer_on(connection) for connection in uploads]
    assert [(answer.status, answer.code) for answer in answers] == [
        *[(408, "request_timeout")] * 2,
        *[(503, "busy")] * 2,
    ]


def test_who_waits_to_be_asked_for_a_body_is_asked_before_a_thread_is_taken(port: int) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(head(10, "/scan/url", "Expect: 100-continue"))
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"[" * 10)
        assert connection.recv(100).startswith(b"HTTP/1.1 400 ")


def test_requests_sent_at_once_are_answered_one_after_the_other(port: int) -> None:
    """Pipelined, the last one in two pieces."""
    first = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = b"GET /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with connected(port, 2 * first + last[:9]) as connection:
        raw = b""
        while raw.count(b"HTTP/1.1 200") < 2:
            raw += connection.recv(65536)
        connection.sendall(last[9:])
        while more := connection.recv(65536):
            raw += more
    assert re.findall(rb"HTTP/1.1 (\d+)", raw) == [b"200", b"200", b"404"]
