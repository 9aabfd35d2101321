"""Every code of docs/api.md's table is answered somewhere: here are those that no test of a route meets."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from faces.config import Settings
from faces.documents import to_json
from faces.messaging.rpc import Requester
from faces.store import idempotency
from faces.store.pictures import queries
from local.process import free_port
from rest.problems import PROBLEMS
from tests.support.server import PICTURE, problem, serving
from tests.support.servers.hostile_servers import Server, redirects, response, says, stays_silent

TESTS = Path(__file__).parents[2]


def test_every_code_is_produced_by_a_test() -> None:
    """A test that produces one says so: `status, "code"`."""
    written = "".join(file.read_text() for file in TESTS.rglob("test_*.py"))
    produced = {(int(status), code) for status, code in re.findall(r'(\d{3}), "(\w+)"', written)}
    assert {(int(status), code) for code, (status, _) in PROBLEMS.items()} - produced == set()


@pytest.mark.parametrize(
    ("answer", "scheme", "expected"),
    [
        (says(response(b"", "404 Not Found")), "http", (502, "http_status")),
        (stays_silent, "http", (502, "timeout")),
        (says(response()), "https", (502, "tls")),
        (redirects("/again"), "http", (502, "too_many_redirects")),
    ],
)
def test_a_url_that_cannot_be_fetched(
    settings: Settings, answer: Callable[..., None], scheme: str, expected: tuple[int, str]
) -> None:
    with Server(answer) as server, serving(settings, fetch_allow=("127.0.0.1",), fetch_timeout=1.0) as client:
        url = server.url("127.0.0.1", scheme=scheme)
        assert problem(client.post("/v1/images", json={"url": url})) == expected


def test_a_url_where_nobody_listens(settings: Settings) -> None:
    with serving(settings, fetch_allow=("127.0.0.1",)) as client:
        answer = client.post("/v1/images", json={"url": f"http://127.0.0.1:{free_port()}/"})
    assert problem(answer) == (502, "unreachable")


@pytest.mark.parametrize("expected", [(422, "truncated"), (422, "damaged"), (400, "bad_encoding")])
def test_a_worker_that_cannot_search_says_why(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch, expected: tuple[int, str]
) -> None:
    told = to_json({"error": {"code": expected[1], "reason": "a reason"}}).encode()
    monkeypatch.setattr(Requester, "ask", lambda *_: told)
    assert problem(client.post("/v1/search", data=PICTURE)) == expected


def test_a_request_whose_first_one_has_not_ended(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(idempotency, "end", lambda *_: None)
    headers = {"Idempotency-Key": "k"}
    sent = [
        client.post("/v1/images", data={"a": (io.BytesIO(PICTURE), "a")}, headers=headers) for _ in range(2)
    ]
    assert sent[0].status_code == 202
    assert problem(sent[1]) == (409, "in_progress")


def test_a_bug(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(queries, "statuses", fail)
    assert problem(client.post("/v1/statuses", json={"hashes": ["0" * 64]})) == (500, "internal")
