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

from faces import api_key
from faces.config import Settings
from faces.process.process_log import Json
from faces.store.access import api_keys, audit_log
from faces.store.client import RedisClient
from faces.store.pictures import queries
from faces.store.pictures.accept import accept
from local.process import free_port, until
from rest.auth import bootstrap_key, rate_limits
from tests.support.committing import Worker, found, picture
from tests.support.drawing import drawing
from tests.support.rules import faults, read_all
from tests.support.server import HASH, PICTURE, problem, serving

ROUTES: dict[str, Callable[..., TestResponse]] = {
    api_key.SCAN: lambda client, **more: client.post("/scan/image/a", data=PICTURE, **more),
    api_key.SEARCH: lambda client, **more: client.get(f"/match/{HASH}", **more),
    api_key.READ: lambda client, **more: client.get(f"/status/{HASH}", **more),
    api_key.ADMIN: lambda client, **more: client.delete(f"/v1/pictures/{HASH}", **more),
}
Ask = Callable[..., TestResponse]


@pytest.fixture
def guarded(settings: Settings) -> Iterator[FlaskClient]:
    with serving(settings, api_keys="required") as opened:
        yield opened


def issue(redis: RedisClient, *scopes: str, **limits: int) -> tuple[str, dict[str, Any]]:
    """Create a valid key; its id, and what to send."""
    key, token = api_key.create("test", scopes, **limits)
    api_keys.add(redis, key)
    return key.id, {"headers": {"Authorization": f"Bearer {token}"}}


@pytest.mark.parametrize("scope", ROUTES)
def test_each_scope_opens_its_routes_and_no_other(
    guarded: FlaskClient, redis: RedisClient, scope: str
) -> None:
    _, shown = issue(redis, scope)
    refused = {name for name, ask in ROUTES.items() if ask(guarded, **shown).status_code == 403}
    assert refused == ROUTES.keys() - {scope}


@pytest.mark.parametrize("path", ["/", "/healthz", "/healthcheck", "/readyz", "/openapi.json"])
def test_probes_need_no_key(guarded: FlaskClient, path: str) -> None:
    assert guarded.get(path).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic Zm9vOmJhcg=="},
        {"Authorization": f"Bearer {api_key.create('unknown', api_key.SCOPES)[1]}"},
        {"X-API-Key": "ff_../../_\xff"},
    ],
    ids=["none", "empty", "basic", "unknown", "malformed"],
)
@pytest.mark.parametrize("ask", ROUTES.values(), ids=ROUTES)
def test_without_a_valid_key_nothing_is_revealed_or_done(
    guarded: FlaskClient, redis: RedisClient, ask: Ask, headers: dict[str, str]
) -> None:
    answer = ask(guarded, headers=headers)
    assert problem(answer) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    (kept,) = redis.ask((0, "KEYS", "*"))
    assert all(key.startswith(b"limit") for key in kept)


def test_a_key_with_a_changed_secret_is_refused(guarded: FlaskClient, redis: RedisClient) -> None:
    key, token = api_key.create("test", api_key.SCOPES)
    api_keys.add(redis, key)
    changed = token[:-1] + ("A" if token[-1] != "A" else "B")
    assert guarded.get(f"/match/{HASH}", headers={"X-API-Key": token}).status_code == 200
    assert guarded.get(f"/match/{HASH}", headers={"X-API-Key": changed}).status_code == 401


def test_a_removed_key_stops_working_at_once(guarded: FlaskClient, redis: RedisClient) -> None:
    number, shown = issue(redis, api_key.SEARCH)
    assert guarded.get(f"/match/{HASH}", **shown).status_code == 200
    assert api_keys.remove(redis, number)
    assert guarded.get(f"/match/{HASH}", **shown).status_code == 401
    assert not api_keys.remove(redis, number)


@pytest.mark.parametrize("limit", ["per_minute", "per_day"])
def test_past_its_limit_a_key_waits_and_others_do_not(
    guarded: FlaskClient, redis: RedisClient, limit: str
) -> None:
    _, limited = issue(redis, api_key.SEARCH, **{limit: 3})
    _, other = issue(redis, api_key.SEARCH)
    answers = [guarded.get(f"/match/{HASH}", **limited) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert problem(answers[-1]) == (429, "too_many_requests")
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 86_400
    assert guarded.get(f"/match/{HASH}", **other).status_code == 200


def test_a_limit_of_the_settings_holds_for_keys_without_one(settings: Settings, redis: RedisClient) -> None:
    _, shown = issue(redis, api_key.SEARCH)
    _, own = issue(redis, api_key.SEARCH, per_minute=0)
    with serving(settings, api_keys="required", key_per_minute=1) as client:
        assert [client.get("/match/x", **shown).status_code for _ in range(2)] == [200, 429]
        assert [client.get("/match/x", **own).status_code for _ in range(2)] == [200, 200]


INVALID = {"headers": {"X-API-Key": api_key.create("unknown", api_key.SCOPES)[1]}}


def peer(address: str) -> dict[str, Any]:
    return {"environ_overrides": {"REMOTE_ADDR": address}}


@pytest.fixture
def three_guesses(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[FlaskClient]:
    monkeypatch.setattr(rate_limits, "INVALID_KEYS_PER_MINUTE", 3)
    with serving(settings, api_keys="required") as client:
        yield client


def test_an_address_that_guesses_keys_must_wait_and_a_valid_key_still_works(
    three_guesses: FlaskClient, redis: RedisClient
) -> None:
    _, shown = issue(redis, api_key.SEARCH)
    answers = [three_guesses.get("/match/x", **INVALID) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
    assert problem(answers[-1]) == (429, "too_many_requests")
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 120
    assert three_guesses.get("/match/x").status_code == 401  # no key was guessed
    assert three_guesses.get("/match/x", **shown).status_code == 200
    assert three_guesses.get("/match/x", **INVALID, **peer("10.0.0.2")).status_code == 401


def test_what_a_client_says_of_its_address_is_not_believed(three_guesses: FlaskClient) -> None:
    claims = [{"X-Forwarded-For": f"10.0.0.{n}", "Forwarded": f"for=10.0.0.{n}"} for n in range(5)]
    answers = [three_guesses.get("/match/x", headers={**INVALID["headers"], **claim}) for claim in claims]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]


def test_addresses_of_an_ipv6_network_count_together(three_guesses: FlaskClient) -> None:
    addresses = ["2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8:0:0:ffff::4", "2001:db8:0:1::1"]
    answers = [three_guesses.get("/match/x", **INVALID, **peer(address)) for address in addresses]
    assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 401]


def test_the_audit_log_says_who_did_what_to_which_picture(guarded: FlaskClient, redis: RedisClient) -> None:
    number, shown = issue(redis, *api_key.SCOPES)
    accept(redis, picture(0), "http://nowhere.invalid/a.jpg")
    Worker(redis).commit(found(0, 1))
    ROUTES[api_key.SCAN](guarded, **shown)
    guarded.post("/scan/url", json={"url": "http://nowhere.invalid/a.jpg"}, **shown)
    ROUTES[api_key.SEARCH](guarded, **shown)
    ROUTES[api_key.ADMIN](guarded, **shown)
    entries = audit_log.last(redis, 10)
    assert [(entry.did, entry.picture_id) for entry in entries] == [
        ("erase", HASH),
        ("search", HASH),
        ("scan", picture(0)),
        ("scan", HASH),
    ]
    assert {entry.key for entry in entries} == {number}
    assert len({entry.request for entry in entries}) == 4


def test_what_is_refused_or_no_picture_leaves_no_entry(guarded: FlaskClient, redis: RedisClient) -> None:
    _, shown = issue(redis, api_key.SCAN, api_key.SEARCH)
    guarded.get("/match/nonsense", **shown)
    guarded.delete(f"/v1/pictures/{HASH}", **shown)
    guarded.post("/scan/image/text", data=b"no picture", **shown)
    assert audit_log.last(redis, 10) == []


def test_the_audit_log_is_capped(settings: Settings, redis: RedisClient) -> None:
    _, shown = issue(redis, api_key.SEARCH)
    with serving(settings, api_keys="required", audit_length=100) as client:
        for _ in range(250):
            client.get(f"/match/{HASH}", **shown)
    assert 100 <= len(audit_log.last(redis, 1000)) < 250


def test_without_redis_no_key_is_in_force(settings: Settings) -> None:
    _, token = api_key.create("test", api_key.SCOPES)
    with serving(settings, redis_port=free_port(), api_keys="required") as client:
        answer = client.get(f"/match/{HASH}", headers={"X-API-Key": token})
        assert problem(answer) == (503, "unavailable")


def test_the_first_key_is_made_and_shown_once(guarded: FlaskClient, redis: RedisClient) -> None:
    out = io.StringIO()
    bootstrap_key.make(redis, out)
    token = out.getvalue().split()[-1]
    assert ROUTES[api_key.ADMIN](guarded, headers={"X-API-Key": token}).status_code == 404
    bootstrap_key.make(redis, out)
    assert len(out.getvalue().splitlines()) == 1
    (kept,) = api_keys.every(redis)
    assert kept.scopes == api_key.SCOPES


def test_the_first_key_waits_for_redis(settings: Settings, redis: RedisClient) -> None:
    out = io.StringIO()
    bootstrap_key.start(settings, out)
    assert until(lambda: bool(api_keys.every(redis)) and bool(out.getvalue()), 60)


def test_a_picture_is_erased_with_its_original(settings: Settings, redis: RedisClient, tmp_path: Any) -> None:
    with serving(settings, image_store_url=f"file://{tmp_path}") as client:
        client.post("/scan/image/me", data=PICTURE)
        assert list(tmp_path.rglob(HASH)) != []
        answer = client.delete(f"/v1/pictures/{HASH}")
        assert (answer.status_code, answer.data) == (204, b"")
        assert list(tmp_path.rglob(HASH)) == []
        assert queries.statuses(redis, [HASH]) == [None]
        assert faults(read_all(redis)) == []
        assert problem(client.delete(f"/v1/pictures/{HASH}")) == (404, "not_found")
        assert problem(client.delete("/v1/pictures/nonsense")) == (404, "not_found")


def test_log_lines_name_the_key_and_never_its_token(
    guarded: FlaskClient, redis: RedisClient, caplog: pytest.LogCaptureFixture
) -> None:
    key, token = api_key.create("test", api_key.SCOPES)
    api_keys.add(redis, key)
    caplog.set_level("DEBUG")
    guarded.post("/scan/image/a", data=drawing(1), headers={"X-API-Key": token})
    lines = [json.loads(Json().format(record)) for record in caplog.records]
    assert {line["key"] for line in lines if "key" in line} == {key.id}
    assert token.rpartition("_")[2] not in json.dumps(lines)
    with closing(redis):
        assert token.rpartition("_")[2] not in str(redis.ask((0, "HGETALL", "api_keys")))
