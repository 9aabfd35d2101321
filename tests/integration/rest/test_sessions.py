"""Sessions: what stands for a key in a browser, and what another site's page can do with it: nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from faces import api_key
from faces.config import Settings
from faces.store.access import api_keys
from faces.store.client import RedisClient
from rest.auth import rate_limits
from rest.auth.authenticator import COOKIE
from tests.support.server import HASH, PICTURE, problem, serving

HERE = {"Origin": "http://localhost"}
ELSEWHERE = {"Origin": "http://evil.example"}
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture
def guarded(settings: Settings) -> Iterator[FlaskClient]:
    with serving(settings, api_keys="required") as opened:
        yield opened


def sign_in(client: FlaskClient, redis: RedisClient, *scopes: str, **limits: int) -> str:
    """Sign in with a new key; its id."""
    key, token = api_key.create("browser", scopes or api_key.SCOPES, **limits)
    api_keys.add(redis, key)
    answer = client.post("/sign-in", data={"key": token, "next": "/search"}, headers=HERE)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/search")
    return key.id


def test_a_session_does_what_its_key_may(guarded: FlaskClient, redis: RedisClient) -> None:
    sign_in(guarded, redis, api_key.READ, api_key.SCAN)
    assert guarded.get("/v1/images").status_code == 200
    assert guarded.post("/v1/images", data=PICTURE, headers=HERE).status_code == 202
    assert problem(guarded.delete(f"/v1/images/{HASH}", headers=HERE)) == (403, "forbidden")


@pytest.mark.parametrize("headers", [{}, ELSEWHERE, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}])
def test_another_sites_page_changes_nothing(
    guarded: FlaskClient, redis: RedisClient, headers: dict[str, str]
) -> None:
    sign_in(guarded, redis)
    for ask in (
        guarded.post("/v1/images", data=PICTURE, headers=headers),
        guarded.delete(f"/v1/images/{HASH}"),
    ):
        assert problem(ask) == (403, "forbidden")
    assert problem(guarded.post("/sign-out", headers=headers)) == (403, "forbidden")
    assert problem(guarded.post("/sign-in", data={}, headers=headers)) == (403, "forbidden")


def test_a_page_behind_a_proxy_that_ends_tls_may_ask(guarded: FlaskClient, redis: RedisClient) -> None:
    sign_in(guarded, redis)
    seen = {"Origin": "https://localhost", "Sec-Fetch-Site": "same-origin"}
    assert guarded.post("/v1/images", data=PICTURE, headers=seen).status_code == 202


def test_the_cookie_is_kept_from_scripts_and_other_sites(guarded: FlaskClient, redis: RedisClient) -> None:
    key, token = api_key.create("browser", api_key.SCOPES)
    api_keys.add(redis, key)
    for origin, secure in (("http://localhost", False), ("https://localhost", True)):
        headers = {"Origin": origin, "Sec-Fetch-Site": "same-origin"}
        cookie = guarded.post("/sign-in", data={"key": token}, headers=headers).headers["Set-Cookie"]
        assert "HttpOnly" in cookie
        assert "SameSite=Strict" in cookie
        assert ("Secure" in cookie) is secure
        value = cookie.partition(";")[0].partition("=")[2]
        assert value not in str(redis.ask((0, "KEYS", "*")))


@pytest.mark.parametrize("onward", ["https://evil.example/", "//evil.example", "/\\evil.example", "x"])
def test_signing_in_leads_nowhere_else(guarded: FlaskClient, redis: RedisClient, onward: str) -> None:
    key, token = api_key.create("browser", api_key.SCOPES)
    api_keys.add(redis, key)
    answer = guarded.post("/sign-in", data={"key": token, "next": onward}, headers=HERE)
    assert answer.headers["Location"] == "/"


def test_a_revoked_key_ends_its_sessions(guarded: FlaskClient, redis: RedisClient) -> None:
    number = sign_in(guarded, redis)
    api_keys.remove(redis, number)
    assert problem(guarded.get("/v1/images")) == (401, "unauthorized")


def test_signing_out_ends_the_session_itself(guarded: FlaskClient, redis: RedisClient) -> None:
    sign_in(guarded, redis)
    cookie = guarded.get_cookie(COOKIE)
    assert cookie
    guarded.post("/sign-out", headers=HERE)
    guarded.set_cookie(COOKIE, cookie.value)
    assert problem(guarded.get("/v1/images")) == (401, "unauthorized")


def test_guessed_keys_count_whichever_way_they_come(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "INVALID_KEYS_PER_MINUTE", 2)
    _, token = api_key.create("unknown", api_key.SCOPES)
    with serving(settings, api_keys="required") as client:
        answers = [client.post("/sign-in", data={"key": token}, headers=HERE) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [401, 401, 429]
    assert {answer.mimetype for answer in answers} == {"text/html"}


def test_pictures_on_a_page_do_not_count_as_requests_of_the_key(
    guarded: FlaskClient, redis: RedisClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_in(guarded, redis, per_minute=2)
    for _ in range(5):
        assert guarded.get(f"/v1/images/{HASH}/picture").status_code == 404
    answers = [guarded.get("/v1/images").status_code for _ in range(3)]
    assert answers == [200, 200, 429]


def test_the_root_is_a_page_for_browsers_and_json_for_everybody_else(client: FlaskClient) -> None:
    page = client.get("/", headers=HTML)
    assert (page.status_code, page.mimetype) == (200, "text/html")
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    for accept in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}):
        assert client.get("/", headers=accept).json == {"service": "facefleet"}
    assert page.headers["Vary"] == "Accept"


def test_without_redis_the_root_still_answers_browsers_with_200(settings: Settings) -> None:
    with serving(settings, redis_port=1, api_keys="required") as client:
        client.set_cookie(COOKIE, "token")
        page = client.get("/", headers=HTML)
    assert page.status_code == 200
    assert "does not answer" in page.text
