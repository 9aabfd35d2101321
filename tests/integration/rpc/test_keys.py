"""Keys, scopes, limits and the audit log over gRPC: those of the HTTP server."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from faces import api_key
from faces.config import Settings
from faces.picture_id import picture_id_of
from faces.store.access import api_keys, audit_log
from faces.store.client import RedisClient
from local.process import Process, until
from rest.auth.rate_limits import INVALID_KEYS_PER_MINUTE
from tests.support.clients.rpc_client import SECONDS, Client, connected, refused, running
from tests.support.clients.rpc_client import messages as m
from tests.support.drawing import drawing

PICTURE = drawing(4, (150, 120))
HASH = picture_id_of(PICTURE)
UNKNOWN = "0" * 64


@pytest.fixture(scope="module")
def redis(both: Settings) -> Iterator[RedisClient]:
    with closing(RedisClient(both)) as opened:
        yield opened


@pytest.fixture(scope="module")
def guarded(both: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Process, int]]:
    with running(both, tmp_path_factory.mktemp("rpc"), API_KEYS="required") as (process, port):
        yield process, port


def issue(redis: RedisClient, *scopes: str, **limits: int) -> tuple[str, str]:
    """A valid key: its id and its token."""
    key, token = api_key.create("test", scopes, **limits)
    api_keys.add(redis, key)
    return key.id, token


def calls(client: Client) -> dict[str, str]:
    """What becomes of a call of each method: its status."""
    one = m.Side(hash=UNKNOWN)
    tried = {
        "ScanImage": lambda: client.scan(b"text"),
        "ScanUrl": lambda: client.call("ScanUrl", m.ScanUrlRequest(url="ftp://a")),
        "GetImage": lambda: client.image(UNKNOWN),
        "Match": lambda: client.match(UNKNOWN),
        "Search": lambda: client.search(b"text"),
        "Compare": lambda: client.call("Compare", m.CompareRequest(first=one, second=one)),
        "Erase": lambda: client.erase(UNKNOWN),
        "Watch": lambda: next(client.watch(after="x")),
    }
    return {method: refused(call)[0] for method, call in tried.items()}


OPENS = {
    api_key.SCAN: {"ScanImage", "ScanUrl"},
    api_key.SEARCH: {"Match", "Search", "Compare"},
    api_key.READ: {"GetImage", "Watch"},
    api_key.ADMIN: {"Erase"},
}


@pytest.mark.parametrize("scope", OPENS)
def test_each_scope_opens_its_methods_and_no_other(
    guarded: tuple[Process, int], redis: RedisClient, scope: str
) -> None:
    _, token = issue(redis, scope)
    with connected(guarded[1], ("authorization", f"Bearer {token}")) as client:
        found = calls(client)
    opened = {method for method, status in found.items() if status != "PERMISSION_DENIED"}
    assert opened == OPENS[scope]


@pytest.mark.parametrize(
    "metadata",
    [(), (("authorization", "Basic abc"),), (("x-api-key", f"ff_{'a' * 12}_{'b' * 43}"),)],
    ids=["none", "basic", "unknown"],
)
def test_without_a_valid_key_nothing_is_done(
    guarded: tuple[Process, int], metadata: tuple[tuple[str, str], ...]
) -> None:
    with connected(guarded[1], *metadata) as client:
        assert set(calls(client).values()) == {"UNAUTHENTICATED"}


def test_what_is_done_is_in_the_audit_log(guarded: tuple[Process, int], redis: RedisClient) -> None:
    number, token = issue(redis, *api_key.SCOPES)
    with connected(guarded[1], ("x-api-key", token)) as client:
        client.scan(PICTURE)
        client.match(HASH)
        client.erase(HASH)
    done = [entry for entry in audit_log.last(redis, 10) if entry.key == number]
    assert [(entry.did, entry.picture_id) for entry in reversed(done)] == [
        ("scan", HASH), ("search", HASH), ("erase", HASH),
    ]  # fmt: skip
    assert len({entry.request for entry in done}) == 3


def test_a_keys_limit_holds(guarded: tuple[Process, int], redis: RedisClient) -> None:
    _, token = issue(redis, api_key.READ, per_minute=2)
    with connected(guarded[1], ("x-api-key", token)) as client:
        found = [refused(lambda: client.image(UNKNOWN)) for _ in range(3)]
    assert found == [*[("NOT_FOUND", "not_found")] * 2, ("RESOURCE_EXHAUSTED", "too_many_requests")]


def test_guessing_is_limited_and_a_valid_key_still_passes(
    guarded: tuple[Process, int], redis: RedisClient
) -> None:
    number, _ = api_key.create("unknown", api_key.SCOPES)
    _, token = issue(redis, api_key.READ)
    with connected(guarded[1], ("x-api-key", f"ff_{number.id}_{'b' * 43}")) as stranger:
        found = {refused(lambda: stranger.image(UNKNOWN))[0] for _ in range(INVALID_KEYS_PER_MINUTE + 1)}
    assert "RESOURCE_EXHAUSTED" in found
    with connected(guarded[1], ("x-api-key", token)) as client:
        assert refused(lambda: client.image(UNKNOWN)) == ("NOT_FOUND", "not_found")


def test_no_key_is_written_to_the_log(guarded: tuple[Process, int], redis: RedisClient) -> None:
    number, token = issue(redis, api_key.READ)
    process, port = guarded
    with connected(port, ("authorization", f"Bearer {token}")) as client:
        refused(lambda: client.image(UNKNOWN))
    assert until(lambda: number in process.log.read_text(), SECONDS)
    text = process.log.read_text()
    assert token not in text
    (line,) = (line for line in text.splitlines() if number in line)
    told = json.loads(line)
    assert (told["event"], told["status"], told["code"]) == ("GetImage", "NOT_FOUND", "not_found")


def test_beyond_loopback_keys_are_needed_and_the_first_is_shown(
    both: Settings, redis: RedisClient, tmp_path: Path
) -> None:
    redis.ask((0, "FLUSHDB"))
    with running(both, tmp_path, REST_HOST="0.0.0.0") as (process, port), connected(port) as client:  # noqa: S104 -- on purpose
        assert refused(lambda: client.image(UNKNOWN)) == ("UNAUTHENTICATED", "unauthorized")
        assert until(lambda: "first API key" in process.log.read_text(), SECONDS)
