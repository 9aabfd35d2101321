"""The table of where a change goes leads to places that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PLACE = re.compile(r"`((?:faces|rest|worker|client|tests|requirements)/[\w/.]*)`")


def test_every_place_a_change_goes_to_exists() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| ") and "`" in line]
    places = PLACE.findall(text)
    assert len(rows) > 10
    assert len(places) > 12
    assert [place for place in places if not (ROOT / place).exists()] == []
