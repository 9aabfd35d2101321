"""The demo: sample photographs through the running system, over HTTP as any client sends them."""

from __future__ import annotations

from pathlib import Path

from local.screen import Screen


def run(folder: Path, server: str, screen: Screen) -> int:
    return 0
