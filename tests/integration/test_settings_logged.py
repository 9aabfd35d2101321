"""Whoever reads a process's log sees what it was started with, and no secret."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from faces.config import Settings
from local.process import Process, free_port, until
from tests.conftest import environ

SECONDS = 60.0


@pytest.mark.parametrize("part", ["rest", "rpc", "worker", "groups", "video"])
def test_a_process_logs_its_settings_with_secrets_masked(tmp_path: Path, part: str) -> None:
    nowhere = replace(Settings(), redis_port=free_port(), rabbitmq_port=free_port())
    ports = {"REST_PORT": str(free_port()), "RPC_PORT": str(free_port())}
    process = Process(part, tmp_path)
    process.start(
        [sys.executable, "-m", part], environ(nowhere, tmp_path) | ports | {"REDIS_PASSWORD": "sesame"}
    )
    try:
        assert until(lambda: '"event": "settings"' in process.log.read_text(), SECONDS), process.last_lines()
    finally:
        process.kill()
    written = process.log.read_text()
    (line,) = [line for line in written.splitlines() if '"event": "settings"' in line]
    told = json.loads(line)
    assert told["REDIS_PORT"] == str(nowhere.redis_port)
    assert set(told["REDIS_PASSWORD"]) == {"*"}
    assert "sesame" not in written
