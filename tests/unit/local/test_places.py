from __future__ import annotations

import shlex
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from faces.config import Settings
from local import places
from local.places import Places, choose, read

NOTHING = Places({}, frozenset(), 0)
IMAGES = Path("/data/images")


@pytest.fixture(autouse=True)
def no_port_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """The usual ports may be in use on the machine that runs the tests."""
    monkeypatch.setattr(places, "free_port", lambda wanted=0: wanted)


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A port on which somebody else listens."""
    monkeypatch.undo()
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def chosen(environ: dict[str, str], before: Places = NOTHING, **more: Any) -> Places:
    return choose(environ, before, **{"running": (), "workers": 2, "images": IMAGES, **more})[0]


def settings(found: Places, environ: dict[str, str]) -> Settings:
    return Settings.read({**environ, **found.environment})


def test_by_default_both_servers_are_ours_at_the_usual_places() -> None:
    found = chosen({})
    assert found.ours == {"redis", "rabbitmq"}
    read_back = settings(found, {})
    assert (read_back.redis_host, read_back.redis_port) == ("127.0.0.1", 6379)
    assert (read_back.rabbitmq_host, read_back.rabbitmq_port) == ("127.0.0.1", 5672)
    assert read_back.server == "http://127.0.0.1:5000"
    assert read_back.image_store_url == "file:///data/images"


def test_a_server_that_the_environment_names_is_used() -> None:
    environ = {"REDIS_HOST": "redis.example.org", "REDIS_PASSWORD": "secret", "RABBITMQ_PORT": "7777"}
    found = chosen(environ)
    assert found.ours == {"rabbitmq"}
    assert "secret" not in found.environment.values()
    read_back = settings(found, environ)
    assert (read_back.redis_host, read_back.redis_port) == ("redis.example.org", 6379)
    assert read_back.redis_password == environ["REDIS_PASSWORD"]
    assert read_back.rabbitmq_port == 7777


def test_our_own_servers_ask_for_no_password_whatever_the_environment_says() -> None:
    environ = {"REDIS_PASSWORD": "of another", "RABBITMQ_USER": "of another", "RABBITMQ_VHOST": "its own"}
    read_back = settings(chosen(environ), environ)
    assert read_back.redis_password == ""
    assert (read_back.rabbitmq_user, read_back.rabbitmq_vhost) == ("guest", "/")


def test_what_a_shell_has_read_from_our_file_still_means_our_servers(tmp_path: Path) -> None:
    first = chosen({})
    first.write(tmp_path / "environment")
    assert chosen(dict(first.environment), before=read(tmp_path / "environment")) == first


def test_a_taken_port_is_left_for_a_free_one(taken: int) -> None:
    found, moved = choose({"REST_PORT": str(taken)}, NOTHING, running=(), workers=1, images=IMAGES)
    assert found.port("REST_PORT") != taken
    assert moved["REST_PORT"] == str(taken)
    assert found.environment["REST_URL"].endswith(f":{found.port('REST_PORT')}")


def test_a_server_of_ours_that_runs_stays_where_it_is(taken: int) -> None:
    before = Places({"REDIS_PORT": str(taken)}, frozenset({"redis", "rabbitmq"}), 1)
    assert chosen({}, before, running={"redis"}).port("REDIS_PORT") == taken
    assert chosen({}, before).port("REDIS_PORT") != taken


def test_ports_and_workers_are_remembered() -> None:
    before = Places({"REST_PORT": "5050"}, frozenset(), 3)
    assert chosen({}, before, workers=None).port("REST_PORT") == 5050
    assert chosen({}, before, workers=None).workers == 3
    assert chosen({}, before, workers=5).workers == 5


def test_without_memory_there_is_a_worker_per_core() -> None:
    assert chosen({}, workers=None).workers >= 1


def test_an_empty_image_store_stays_empty() -> None:
    assert chosen({"IMAGE_STORE_URL": ""}).environment["IMAGE_STORE_URL"] == ""


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "127.0.0.1"])  # noqa: S104 -- what a person may set
def test_a_server_on_all_addresses_is_reached_on_this_machine(host: str) -> None:
    assert chosen({"REST_HOST": host}).environment["REST_URL"] == "http://127.0.0.1:5000"


def test_a_server_on_one_address_is_reached_there() -> None:
    assert chosen({"REST_HOST": "10.0.0.5"}).environment["REST_URL"] == "http://10.0.0.5:5000"


def test_the_file_can_be_read_by_a_shell(tmp_path: Path) -> None:
    file = tmp_path / "environment"
    Places({"IMAGE_STORE_URL": "file:///a b/$HOME'x"}, frozenset({"redis"}), 4).write(file)
    script = f"set -a; . {shlex.quote(str(file))}; printenv IMAGE_STORE_URL"
    shown = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True).stdout
    assert shown == "file:///a b/$HOME'x\n"
    assert read(file) == Places({"IMAGE_STORE_URL": "file:///a b/$HOME'x"}, frozenset({"redis"}), 4)


def test_without_a_file_nothing_is_remembered(tmp_path: Path) -> None:
    assert read(tmp_path / "environment") == NOTHING
