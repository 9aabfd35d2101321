"""The systemd unit is one that systemd takes, and runs a command that there is."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest

from client.__main__ import parser
from tests.support.settings_table import table

UNIT = Path(__file__).parents[3] / "deploy/systemd/facefleet-watch@.service"


def read() -> RawConfigParser:
    unit = RawConfigParser()
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # as its documentation has it
    unit.read(UNIT)
    return unit


def test_it_runs_a_command_that_there_is() -> None:
    program, *arguments = shlex.split(read()["Service"]["ExecStart"])
    assert Path(program).name == "facefleet"
    assert str(parser().parse_args(arguments).folder) == "%f"
    settings = {row.name for row in table()}
    assert {"REST_URL", "API_KEY"} <= settings & set(UNIT.read_text().replace(",", "").split())


def test_systemd_takes_it(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("needs systemd-analyze")
    unit = tmp_path / "facefleet-watch@srv-inbox.service"
    here = UNIT.read_text().replace("/opt/facefleet/bin/facefleet", "/bin/true")
    unit.write_text(here.replace("User=facefleet", "User=root"))
    done = subprocess.run(
        ["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False, timeout=60
    )
    assert [line for line in done.stderr.splitlines() if unit.name in line] == []
