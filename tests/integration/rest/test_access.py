"""Who may do what, and what is kept of it."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from faces import access
from faces.config import Settings
from faces.logs import Json
from faces.store import api_keys, reading, trail
from faces.store.intake import accept
from faces.store.link import Link
from local.process import free_port, until
from rest import first_key
from tests.drawing import drawing
from tests.integration.rest.test_routes import HASH, PICTURE, problem, serving
from tests.integration.store.test_commit import Worker, found, picture
from tests.rules import faults, read_all

ROUTES: dict[str, Callable[..., TestResponse]] = {
    access.SCAN: lambda client, **more: client.post("/scan/image/a", data=PICTURE, **more),
    access.SEARCH: lambda client, **more: client.get(f"/match/{HASH}", **more),
    access.READ: lambda client, **more: client.get(f"/status/{HASH}", **more),
    access.ADMIN: lambda client, **more: client.delete(f"/v1/pictures/{HASH}", **more),
}
Ask = Callable[..., TestResponse]


@pytest.fixture
def guarded(settings: Settings) -> Iterator[FlaskClient]:
    with serving(settings, api_keys="required") as opened:
        yield opened


def issue(link: Link, *scopes: str, **limits: int) -> tuple[str, dict[str, Any]]:
    """Put a key in force; its id, and what to send."""
    key, token = access.create("test", scopes, **limits)
    api_keys.add(link, key)
    return key.id, {"headers": {"Authorization": f"Bearer {token}"}}


@pytest.mark.parametrize("scope", access.SCOPES)
def test_each_scope_opens_its_routes_and_no_other(guarded: FlaskClient, link: Link, scope: str) -> None:
    _, shown = issue(link, scope)
    refused = {name for name, ask in ROUTES.items() if ask(guarded, **shown).status_code == 403}
    assert refused == set(access.SCOPES) - {scope}


@pytest.mark.parametrize("path", ["/", "/healthz", "/readyz", "/openapi.json"])
def test_probes_need_no_key(guarded: FlaskClient, path: str) -> None:
    assert guarded.get(path).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic Zm9vOmJhcg=="},
        {"Authorization": f"Bearer {access.create('unknown', access.SCOPES)[1]}"},
        {"X-API-Key": "ff_../../_\xff"},
    ],
    ids=str,
)
@pytest.mark.parametrize("ask", ROUTES.values(), ids=ROUTES)
def test_without_a_key_in_force_nothing_is_told_or_done(
    guarded: FlaskClient, link: Link, ask: Ask, headers: dict[str, str]
) -> None:
    answer = ask(guarded, headers=headers)
    assert problem(answer) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    (kept,) = link.ask((0, "KEYS", "*"))
    assert all(key.startswith(b"limit") for key in kept)


def test_a_key_with_a_changed_secret_is_refused(guarded: FlaskClient, link: Link) -> None:
    key, token = access.create("test", access.SCOPES)
    api_keys.add(link, key)
    changed = token[:-1] + ("A" if token[-1] != "A" else "B")
    assert guarded.get(f"/match/{HASH}", headers={"X-API-Key": token}).status_code == 200
    assert guarded.get(f"/match/{HASH}", headers={"X-API-Key": changed}).status_code == 401


def test_a_removed_key_is_out_of_force_at_once(guarded: FlaskClient, link: Link) -> None:
    number, shown = issue(link, access.SEARCH)
    assert guarded.get(f"/match/{HASH}", **shown).status_code == 200
    assert api_keys.remove(link, number)
    assert guarded.get(f"/match/{HASH}", **shown).status_code == 401
    assert not api_keys.remove(link, number)


@pytest.mark.parametrize("limit", ["per_minute", "per_day"])
def test_past_its_limit_a_key_waits_and_others_do_not(guarded: FlaskClient, link: Link, limit: str) -> None:
    _, limited = issue(link, access.SEARCH, **{limit: 3})
    _, other = issue(link, access.SEARCH)
    answers = [guarded.get(f"/match/{HASH}", **limited) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert problem(answers[-1]) == (429, "too_many_requests")
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 86_400
    assert guarded.get(f"/match/{HASH}", **other).status_code == 200


def test_a_limit_of_the_settings_holds_for_keys_without_one(settings: Settings, link: Link) -> None:
    _, shown = issue(link, access.SEARCH)
    _, own = issue(link, access.SEARCH, per_minute=0)
    with serving(settings, api_keys="required", key_per_minute=1) as client:
        assert [client.get("/match/x", **shown).status_code for _ in range(2)] == [200, 429]
        assert [client.get("/match/x", **own).status_code for _ in range(2)] == [200, 200]


SHOWN_WRONG = {"headers": {"X-API-Key": access.create("unknown", access.SCOPES)[1]}}


def peer(address: str) -> dict[str, Any]:
    return {"environ_overrides": {"REMOTE_ADDR": address}}


def test_who_guesses_keys_is_told_to_wait_and_no_key_in_force_suffers(settings: Settings, link: Link) -> None:
    _, shown = issue(link, access.SEARCH)
    with serving(settings, api_keys="required", refused_per_minute=3) as client:
        answers = [client.get("/match/x", **SHOWN_WRONG) for _ in range(5)]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
        assert problem(answers[-1]) == (429, "too_many_requests")
        assert 1 <= int(answers[-1].headers["Retry-After"]) <= 120
        assert client.get("/match/x").status_code == 401  # no key was guessed
        assert client.get("/match/x", **shown).status_code == 200
        assert client.get("/match/x", **SHOWN_WRONG, **peer("10.0.0.2")).status_code == 401


def test_what_a_client_says_of_its_address_is_not_believed(settings: Settings) -> None:
    with serving(settings, api_keys="required", refused_per_minute=1) as client:
        claims = [{"X-Forwarded-For": f"10.0.0.{n}", "Forwarded": f"for=10.0.0.{n}"} for n in range(3)]
        answers = [client.get("/match/x", headers={**SHOWN_WRONG["headers"], **claim}) for claim in claims]
        assert [answer.status_code for answer in answers] == [401, 429, 429]


def test_addresses_of_an_ipv6_network_count_together(settings: Settings) -> None:
    with serving(settings, api_keys="required", refused_per_minute=1) as client:
        addresses = ["2001:db8::1", "2001:db8:0:0:ffff::2", "2001:db8:0:1::1"]
        answers = [client.get("/match/x", **SHOWN_WRONG, **peer(address)) for address in addresses]
        assert [answer.status_code for answer in answers] == [401, 429, 401]


def test_refusals_have_no_limit_where_none_is_set(settings: Settings) -> None:
    with serving(settings, api_keys="required", refused_per_minute=0) as client:
        assert {client.get("/match/x", **SHOWN_WRONG).status_code for _ in range(50)} == {401}


def test_the_trail_tells_who_did_what_to_which_picture(guarded: FlaskClient, link: Link) -> None:
    number, shown = issue(link, *access.SCOPES)
    accept(link, picture(0), "http://nowhere.invalid/a.jpg")
    Worker(link).commit(found(0, 1))
    ROUTES[access.SCAN](guarded, **shown)
    guarded.post("/scan/url", json={"url": "http://nowhere.invalid/a.jpg"}, **shown)
    ROUTES[access.SEARCH](guarded, **shown)
    ROUTES[access.ADMIN](guarded, **shown)
    entries = trail.last(link, 10)
    assert [(entry.did, entry.picture) for entry in entries] == [
        ("erase", HASH),
        ("search", HASH),
        ("scan", picture(0)),
        ("scan", HASH),
    ]
    assert {entry.key for entry in entries} == {number}
    assert len({entry.request for entry in entries}) == 4


def test_what_is_refused_or_no_picture_leaves_no_entry(guarded: FlaskClient, link: Link) -> None:
    _, shown = issue(link, access.SCAN, access.SEARCH)
    guarded.get("/match/nonsense", **shown)
    guarded.delete(f"/v1/pictures/{HASH}", **shown)
    guarded.post("/scan/image/text", data=b"no picture", **shown)
    assert trail.last(link, 10) == []


def test_the_trail_is_capped(settings: Settings, link: Link) -> None:
    _, shown = issue(link, access.SEARCH)
    with serving(settings, api_keys="required", audit_length=100) as client:
        for _ in range(250):
            client.get(f"/match/{HASH}", **shown)
    assert 100 <= len(trail.last(link, 1000)) < 250


def test_without_redis_no_key_is_in_force(settings: Settings) -> None:
    _, token = access.create("test", access.SCOPES)
    with serving(settings, redis_port=free_port(), api_keys="required") as client:
        answer = client.get(f"/match/{HASH}", headers={"X-API-Key": token})
        assert problem(answer) == (503, "unavailable")


def test_the_first_key_is_made_and_shown_once(guarded: FlaskClient, link: Link) -> None:
    out = io.StringIO()
    first_key.make(link, out)
    token = out.getvalue().split()[-1]
    assert ROUTES[access.ADMIN](guarded, headers={"X-API-Key": token}).status_code == 404
    first_key.make(link, out)
    assert len(out.getvalue().splitlines()) == 1
    (kept,) = api_keys.every(link)
    assert kept.scopes == access.SCOPES


def test_the_first_key_waits_for_redis(settings: Settings, link: Link) -> None:
    out = io.StringIO()
    first_key.start(settings, out)
    assert until(lambda: bool(api_keys.every(link)) and bool(out.getvalue()), 10)


def test_a_picture_is_erased_with_its_original(settings: Settings, link: Link, tmp_path: Any) -> None:
    with serving(settings, image_store_url=f"file://{tmp_path}") as client:
        client.post("/scan/image/me", data=PICTURE)
        assert list(tmp_path.rglob(HASH)) != []
        answer = client.delete(f"/v1/pictures/{HASH}")
        assert (answer.status_code, answer.data) == (204, b"")
        assert list(tmp_path.rglob(HASH)) == []
        assert reading.statuses(link, [HASH]) == [None]
        assert faults(read_all(link)) == []
        assert problem(client.delete(f"/v1/pictures/{HASH}")) == (404, "not_found")
        assert problem(client.delete("/v1/pictures/nonsense")) == (404, "not_found")


def test_log_lines_name_the_key_and_never_its_token(
    guarded: FlaskClient, link: Link, caplog: pytest.LogCaptureFixture
) -> None:
    key, token = access.create("test", access.SCOPES)
    api_keys.add(link, key)
    caplog.set_level("DEBUG")
    guarded.post("/scan/image/a", data=drawing(1), headers={"X-API-Key": token})
    lines = [json.loads(Json().format(record)) for record in caplog.records]
    assert {line["key"] for line in lines if "key" in line} == {key.id}
    assert token.rpartition("_")[2] not in json.dumps(lines)
    with closing(link):
        assert token.rpartition("_")[2] not in str(link.ask((0, "HGETALL", "api_keys")))
