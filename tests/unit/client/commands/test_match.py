from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from client.__main__ import main
from tests.support.servers.web import Fleet

HASH = hashlib.sha256(b"bytes").hexdigest()


def test_names_come_one_a_line(fleet: Fleet, capsys: pytest.CaptureFixture[str]) -> None:
    fleet.on[f"/match/{HASH}"] = [(200, ["a b.jpg", "x\ny"], {})]
    assert main(["match", HASH]) == 0
    assert capsys.readouterr().out == "a b.jpg\nx\\ny\n"


def test_a_file_is_hashed_here(fleet: Fleet, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fleet.on[f"/match/{HASH}"] = [(200, ["a"], {})]
    (tmp_path / "x.jpg").write_bytes(b"bytes")
    assert main(["match", "--json", str(tmp_path / "x.jpg")]) == 0
    assert json.loads(capsys.readouterr().out) == ["a"]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ((404, {"state": "unknown"}, {}), "scan it first"),
        ((200, {"state": "pending"}, {}), "not processed yet"),
        ((200, {"state": "failed", "reason": "no picture"}, {}), "no picture"),
        ((200, {"state": "done"}, {}), "no other picture"),
    ],
)
def test_why_there_is_none_is_said_beside_the_output(
    status: tuple[int, Any, dict[str, str]],
    words: str,
    fleet: Fleet,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fleet.on[f"/status/{HASH}"] = [status]
    assert main(["match", HASH]) == 0
    output = capsys.readouterr()
    assert output.out == ""
    assert words in output.err
