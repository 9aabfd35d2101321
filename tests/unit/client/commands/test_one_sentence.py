"""What a command cannot do is said in one sentence, whichever command it is."""

from __future__ import annotations

import pytest

from client.__main__ import main
from local.process import free_port
from tests.support.servers.web import Fleet


@pytest.mark.parametrize("arguments", [["scan", "nowhere.jpg"], ["match", "nowhere.jpg"], ["status", "ab"]])
def test_a_file_that_is_not_there_is_one_sentence(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    errors = capsys.readouterr().err
    assert errors.startswith("facefleet: ")
    assert errors.count("\n") == 1


@pytest.mark.parametrize("arguments", [["match", "0" * 64], ["status"], ["check"], ["logs"]])
def test_servers_that_are_away_are_one_sentence(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody = free_port()
    monkeypatch.setenv("REST_URL", f"http://127.0.0.1:{nobody}")
    monkeypatch.setenv("REDIS_PORT", str(nobody))
    monkeypatch.setenv("RABBITMQ_PORT", str(nobody))
    assert main(arguments) == 2
    output = capsys.readouterr()
    assert output.err.startswith("facefleet: ")
    assert output.err.count("\n") == 1
    assert output.out == ""


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((200, b"<html>", {}), "is not a Facefleet server"),
        ((301, b"", {"Location": "https://x/"}), "set REST_URL"),
        ((500, b"<html>", {}), "500 Internal Server Error"),
    ],
)
def test_something_else_than_the_server_is_said(
    answer: tuple[int, bytes, dict[str, str]],
    words: str,
    fleet: Fleet,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fleet.on["/match/" + "0" * 64] = [answer]
    assert main(["match", "0" * 64]) == 2
    assert words in capsys.readouterr().err
