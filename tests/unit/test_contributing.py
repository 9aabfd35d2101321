"""The tables of where things are, and of where a change goes, lead to places that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CODE = re.compile(r"`([^`]*)`")
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()} - {
    "var"
}  # var: what running it leaves behind


def places(document: str) -> list[str]:
    """The paths in a document's code spans, from the top of the repository."""
    spans = CODE.findall((ROOT / document).read_text())
    return [span for span in spans if "/" in span and span.partition("/")[0] in FOLDERS]


@pytest.mark.parametrize(("document", "least"), [("CONTRIBUTING.md", 40), ("README.md", 30)])
def test_every_place_that_is_named_exists(document: str, least: int) -> None:
    named = places(document)
    assert len(named) > least
    assert [place for place in named if not (ROOT / place).exists()] == []


def test_every_change_leads_somewhere() -> None:
    _, _, table = (ROOT / "CONTRIBUTING.md").read_text().partition("## Where a change goes")
    rows = [line.split("|")[2] for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    assert [row for row in rows if not CODE.search(row)] == []
