"""The whole system under random faults, in short: see `benchmarks.chaos`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_nothing_is_lost_while_everything_is_killed(tmp_path: Path) -> None:
    ended = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.chaos",
            "--pictures",
            "60",
            "--kills",
            "8",
            "--folder",
            str(tmp_path),
        ],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "nothing was lost" in ended.stdout
