"""What administrators alone see and do: API keys, the audit log, dead letters."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from typing import Any

import pytest
from flask.testing import FlaskClient

from faces import api_key
from faces.config import Settings
from faces.messaging.amqp import Publisher
from faces.messaging.message import Message, encode
from faces.messaging.topology import DEAD
from faces.store.access import api_keys
from faces.store.client import RedisClient
from faces.store.pictures import queries
from faces.store.pictures.accept import accept
from faces.store.pictures.fail import fail
from local.process import until
from tests.support.server import HASH, PICTURE, problem, queued, serving


@pytest.fixture
def guarded(settings: Settings) -> Iterator[FlaskClient]:
    with serving(settings, api_keys="required") as opened:
        yield opened


def shown(token: str) -> dict[str, Any]:
    return {"headers": {"Authorization": f"Bearer {token}"}}


@pytest.fixture
def admin(redis: RedisClient) -> str:
    key, token = api_key.create("the first", api_key.SCOPES)
    api_keys.add(redis, key)
    return token


def test_a_key_is_shown_once_works_and_is_revoked(
    guarded: FlaskClient, redis: RedisClient, admin: str
) -> None:
    wanted = {"name": "Ann", "scopes": ["read", "scan"], "per_minute": 7}
    answer = guarded.post("/v1/keys", json=wanted, **shown(admin))
    made = answer.get_json()
    assert (answer.status_code, made["per_minute"], made["per_day"]) == (201, 7, None)
    assert guarded.get("/v1/stats", **shown(made["token"])).status_code == 200
    assert problem(guarded.get("/v1/keys", **shown(made["token"]))) == (403, "forbidden")
    listed = guarded.get("/v1/keys", **shown(admin))
    assert [(key["name"], key["yours"]) for key in listed.get_json()["keys"]] == [
        ("the first", True),
        ("Ann", False),
    ]
    stored = api_keys.find(redis, made["id"])
    assert stored is not None
    for secret in (made["token"], stored.digest):
        assert secret not in listed.text
    assert guarded.delete(f"/v1/keys/{made['id']}", **shown(admin)).status_code == 204
    assert guarded.get("/v1/stats", **shown(made["token"])).status_code == 401
    assert problem(guarded.delete(f"/v1/keys/{made['id']}", **shown(admin))) == (404, "not_found")
    entries = guarded.get("/v1/audit", **shown(admin)).get_json()["entries"]
    assert [(entry["key"], entry["did"], entry["about"]) for entry in entries] == [
        (api_key.id_of(admin), did, f"key {made['id']}") for did in ("revoke", "issue")
    ]


@pytest.mark.parametrize(
    "wrong",
    [{"name": "", "scopes": ["read"]}, {"name": "x", "scopes": []}, {"name": "x", "scopes": ["root"]}],
)
def test_a_key_must_have_a_name_and_known_scopes(client: FlaskClient, wrong: dict[str, Any]) -> None:
    assert problem(client.post("/v1/keys", json=wrong)) == (400, "bad_request")


def test_the_audit_log_comes_in_pages(guarded: FlaskClient, admin: str) -> None:
    for number in range(5):
        guarded.post(f"/scan/image/{number}", data=PICTURE, **shown(admin))
    pages, cursor = [], None
    while True:
        query = {"limit": 2, **({"cursor": cursor} if cursor else {})}
        page = guarded.get("/v1/audit", query_string=query, **shown(admin)).get_json()
        pages.append(page["entries"])
        cursor = page["next"]
        if cursor is None:
            break
    assert [len(page) for page in pages] == [2, 2, 1]
    every = [entry for page in pages for entry in page]
    assert {(entry["did"], entry["about"]) for entry in every} == {("scan", HASH)}
    assert len({entry["request_id"] for entry in every}) == 5
    assert [entry["time"] for entry in every] == sorted((e["time"] for e in every), reverse=True)
    assert problem(guarded.get("/v1/audit?cursor=x", **shown(admin))) == (400, "bad_cursor")


def bury(settings: Settings, headers: dict[str, Any], body: bytes) -> None:
    with closing(Publisher(settings)) as publisher:
        publisher.publish(DEAD, "", headers, body)


def test_dead_letters_are_listed_and_replayed(
    client: FlaskClient, redis: RedisClient, settings: Settings
) -> None:
    accept(redis, HASH, "a name")
    fail(redis, HASH, "gave_up", "the store was away")
    headers, body = encode(Message(HASH, "a name", PICTURE))
    bury(settings, {"reason": "no sense"}, b"garbage")
    bury(settings, {**headers, "reason": "a reason"}, body)
    garbage = {"hash": "", "name": "", "bytes": 7, "reason": "no sense", "now": ""}
    ours = {"hash": HASH, "name": "a name", "bytes": len(body), "reason": "a reason", "now": ""}
    for _ in range(2):
        assert until(lambda: listed(client) == [garbage, ours], 60)
    assert len(client.get("/v1/dead-letters?limit=1").get_json()["dead_letters"]) == 1
    assert until(lambda: len(listed(client)) == 2, 60)
    (replayed,) = client.post("/v1/dead-letters/replay", json={"hash": HASH}).get_json()["dead_letters"]
    assert replayed == ours | {"now": "replayed"}
    assert until(lambda: listed(client) == [garbage], 60)
    assert [asdict(message)["picture_id"] for message in queued(settings)] == [HASH]
    assert queries.counts(redis).in_flight == 1
    (stays,) = client.post("/v1/dead-letters/replay", json={"hash": "all"}).get_json()["dead_letters"]
    assert "cannot be replayed" in stays["now"]


def listed(client: FlaskClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/v1/dead-letters").get_json()["dead_letters"]
    return found
