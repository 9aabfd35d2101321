"""The documentation is held to the code."""

from __future__ import annotations

import re
from pathlib import Path

from tests.support.settings_table import table

README = Path(__file__).parents[2] / "README.md"


def settings_table() -> str:
    """The table as it has to stand in the README."""
    rows = "\n".join(
        f"| `{row.name}` | {f'`{row.default}`' if row.default else ''} | {row.help} |" for row in table()
    )
    return f"\n| variable | default | meaning |\n|---|---|---|\n{rows}\n"


def test_the_settings_table_is_that_of_the_code() -> None:
    found = re.search("<!-- settings -->\n(.*?)<!-- /settings -->", README.read_text(), re.DOTALL)
    assert found is not None
    assert found[1] == settings_table()


def test_every_place_named_exists() -> None:
    places = re.findall(
        r"`([\w./-]+/|[\w-]+\.(?:sh|yml|md)|Dockerfile\.\w+|(?:faces|rest|worker)/[\w/]+\.py)`",
        README.read_text(),
    )
    assert len(places) > 8
    assert [place for place in places if not (README.parent / place).exists()] == []
