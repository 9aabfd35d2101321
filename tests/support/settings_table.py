"""The settings as rows of a table, which a test compares with the README."""

from __future__ import annotations

from dataclasses import dataclass, fields

from faces.config import Settings
from faces.setting import shown_default, variable


@dataclass(frozen=True)
class Row:
    """One line of the settings table."""

    name: str
    default: str
    help: str


def table() -> list[Row]:
    """Return every setting as a row, in order of definition."""
    return [Row(variable(f), shown_default(f), f.metadata["help"]) for f in fields(Settings)]
