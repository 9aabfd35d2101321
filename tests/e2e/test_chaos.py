"""The whole system under random faults, in short: see `benchmarks.chaos`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.system.network import unshared
from tests.conftest import missing
from tests.support.servers.debian_redis import debian_server

ROOT = Path(__file__).parents[2]


def chaos(folder: Path, *arguments: str) -> str:
    """Run the command; return what it wrote."""
    command = [sys.executable, "-m", "benchmarks.chaos", *arguments, "--folder", str(folder)]
    environ = {**os.environ, "ENGINE": "onnxruntime"}  # many workers start; timing engines is half of a start
    ended = subprocess.run(
        command, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=400, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_nothing_is_lost_while_everything_is_killed(tmp_path: Path) -> None:
    assert "nothing was lost" in chaos(tmp_path, "--pictures", "60", "--kills", "8")


@pytest.fixture
def network() -> None:
    """Namespaces, and everything that runs in them."""
    if shutil.which("haproxy") is None or debian_server() is None or shutil.which("ip") is None:
        missing("the production topology: apt-get install haproxy redis-server iproute2 util-linux")
    if subprocess.run([*unshared(), "true"], capture_output=True, check=False).returncode:
        missing("the right to make namespaces")


@pytest.mark.usefixtures("network")
def test_nothing_is_lost_in_the_production_topology(tmp_path: Path) -> None:
    written = chaos(tmp_path, "--replicated", "--pictures", "40", "--kills", "5", "--seed", "8")
    assert "nothing was lost" in written
    assert "Redis primary" in written, "the seed strikes the primary"
