"""The port of metrics and probes, and the command that asks it."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from prometheus_client import CollectorRegistry, Gauge

from faces.probe import holds, main
from faces.process.health import Health, serve
from local.process import free_port


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


@pytest.fixture
def state() -> dict[str, bool]:
    return {"ready": False}


@pytest.fixture
def port(state: dict[str, bool]) -> int:
    registry, chosen = CollectorRegistry(), free_port()
    Gauge("height", "how high", registry=registry).set(7)
    serve(registry, chosen, readyz=lambda: Health(state["ready"], {"ready": state["ready"]}))
    return chosen


def test_metrics_and_probes_share_a_port(port: int, state: dict[str, bool]) -> None:
    assert "height 7.0" in get(port, "/metrics")[1]
    assert get(port, "/healthz")[0] == 200
    for ready, status in ((False, 503), (True, 200)):
        state["ready"] = ready
        found, body = get(port, "/readyz")
        assert (found, json.loads(body)) == (status, {"ready": ready})
    assert get(port, "/healthy")[0] == 404, "a misspelt probe must not succeed"


def test_a_check_that_fails_is_not_healthy(capfd: pytest.CaptureFixture[str]) -> None:
    def broken() -> Health:
        raise KeyError("an error that nobody has foreseen")

    port = free_port()
    serve(CollectorRegistry(), port, healthz=broken)
    assert not holds(port, "healthz")
    assert "nobody has foreseen" in capfd.readouterr().err


def test_the_command_asks(port: int, state: dict[str, bool]) -> None:
    environ = {"METRICS_PORT": str(port)}
    for ready, code in ((False, 1), (True, 0)):
        state["ready"] = ready
        command = [sys.executable, "-m", "faces.probe", "readyz"]
        assert subprocess.run(command, env=environ, check=False, timeout=60).returncode == code


def test_nobody_there_is_not_healthy() -> None:
    assert not holds(free_port(), "healthz")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(["readyz"], "METRICS_PORT is not set"), (["ready"], "name one of"), ([], "name one of")],
)
def test_the_command_says_what_is_missing(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert said in capsys.readouterr().err
