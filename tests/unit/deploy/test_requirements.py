"""The one lock serves every part: what an extra needs is in it, by hash, and nothing else is installed."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def chosen(*extras: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / "requirements/extras.py"), *extras]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def packages(*extras: str) -> set[str]:
    done = chosen(*extras)
    assert done.returncode == 0, done.stderr
    return set(re.findall(r"^([a-z0-9-]+)==", done.stdout, re.MULTILINE))


@pytest.mark.parametrize("extra", EXTRAS)
def test_every_extra_is_locked_by_hash(extra: str) -> None:
    text = chosen(extra).stdout
    entries = re.split(r"^(?=\S)", text, flags=re.MULTILINE)[1:]
    assert len(entries) > 5
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==\S+", entry), entry[:80]
        assert "--hash=sha256:" in entry, entry[:80]
    assert "#" not in text


def test_a_part_gets_what_it_needs_and_no_more() -> None:
    rest = packages("rest")
    assert {"flask", "werkzeug", "redis", "hiredis", "pika"} <= rest
    assert not {"numpy", "onnxruntime", "s3fs", "pytest", "pillow-heif"} & rest
    assert packages("rest", "s3") - rest >= {"s3fs", "aiobotocore", "botocore"}
    assert {"numpy", "numba", "llvmlite", "tqdm"} <= packages("worker", "client")


def test_a_misspelt_extra_is_named() -> None:
    done = chosen("rest", "s33")
    assert done.returncode == 1
    assert "s33" in done.stderr
    assert "heic" in done.stderr
