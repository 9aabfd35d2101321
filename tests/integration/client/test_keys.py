from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from client.__main__ import main
from faces.config import Settings
from faces.store.access import audit_log
from faces.store.client import RedisClient
from local.process import free_port
from tests.support.server import HASH, PICTURE, running


@pytest.fixture(autouse=True)
def terminal(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_HOST", settings.redis_host)
    monkeypatch.setenv("REDIS_PORT", str(settings.redis_port))


@pytest.fixture
def server(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A server that asks for keys."""
    ours = replace(settings, rest_port=free_port())
    monkeypatch.setenv("REST_URL", ours.server)
    with running(ours, tmp_path, API_KEYS="required"):
        yield


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["keys", *arguments]) == 0
    return capsys.readouterr().out.strip()


def test_a_key_is_added_shown_once_listed_and_removed(capsys: pytest.CaptureFixture[str]) -> None:
    token = said(capsys, "add", "Ann", "--scope", "scan", "--scope", "read", "--per-day", "0")
    (listed,) = json.loads(said(capsys, "list", "--json"))
    assert (listed["name"], listed["scopes"], listed["per_day"]) == ("Ann", ["read", "scan"], 0)
    assert "digest" not in listed
    assert token.rpartition("_")[2] not in said(capsys, "list")
    said(capsys, "remove", listed["id"])
    assert json.loads(said(capsys, "list", "--json")) == []
    assert main(["keys", "remove", listed["id"]]) == 2


def test_a_key_without_a_scope_is_refused() -> None:
    with pytest.raises(SystemExit):
        main(["keys", "add", "Ann"])


@pytest.mark.usefixtures("server")
def test_the_client_shows_its_key(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, redis: RedisClient
) -> None:
    assert main(["match", HASH]) == 2
    assert "set API_KEY" in capsys.readouterr().err
    monkeypatch.setenv("API_KEY", said(capsys, "add", "Ann", "--scope", "search", "--scope", "read"))
    assert main(["match", HASH]) == 0
    capsys.readouterr()
    (entry,) = json.loads(said(capsys, "audit", "--json"))
    assert (entry["did"], entry["picture_id"]) == ("search", HASH)
    assert entry["key"] in said(capsys, "audit")
    assert said(capsys, "trail") == said(capsys, "audit")
    assert len(audit_log.last(redis, 10)) == 1


@pytest.mark.usefixtures("server")
def test_a_folder_is_scanned_with_a_key(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    file = tmp_path_factory.mktemp("album") / "a.jpg"
    file.write_bytes(PICTURE)
    assert main(["scan", "--no-wait", str(file)]) == 2
    monkeypatch.setenv("API_KEY", said(capsys, "add", "Ann", "--scope", "scan"))
    assert main(["scan", "--no-wait", str(file)]) == 0
