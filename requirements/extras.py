"""Prints what some extras of pyproject.toml need of all.lock, for `pip install --require-hashes --no-deps`.

    python requirements/extras.py EXTRA...      such as: rest s3

Standard library only: it runs before anything is installed.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).parent
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
VIA = re.compile(r"^ +# +(?:via +)?(\S+)", re.MULTILINE)


class Entry(NamedTuple):
    """A package in the lock (some are there twice, for different Pythons), and the packages that need it."""

    name: str
    needed_by: set[str]
    text: str


def main(extras: list[str]) -> None:
    """Print."""
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text())["project"]
    known = project["optional-dependencies"]
    if unknown := set(extras) - set(known):
        sys.exit(
            f"extras.py: there is no extra {', '.join(sorted(unknown))}; there are {', '.join(sorted(known))}"
        )
    asked = [*project["dependencies"], *(line for extra in extras for line in known[extra])]
    sys.stdout.write("".join(selected((HERE / "all.lock").read_text(), map(name_of, asked))))


def selected(lock: str, wanted: Iterable[str]) -> list[str]:
    """The entries of a lock for some packages and all that they need, in the lock's order."""
    entries = [_read(text) for text in re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE)[1:]]
    chosen = set(wanted)
    while more := {entry.name for entry in entries if entry.needed_by & chosen} - chosen:
        chosen |= more
    if missing := chosen - {entry.name for entry in entries}:
        sys.exit(f"extras.py: all.lock lacks {', '.join(sorted(missing))}: run requirements/lock")
    return [entry.text for entry in entries if entry.name in chosen]


def name_of(requirement: str) -> str:
    """The normalized name of a package (PEP 503)."""
    found = NAME.match(requirement)
    return re.sub(r"[-_.]+", "-", found[0] if found else requirement).lower()


def _read(text: str) -> Entry:
    needed_by = {name_of(name) for name in VIA.findall(text)}
    return Entry(name_of(text), needed_by, re.sub(r"^ *#.*\n", "", text, flags=re.MULTILINE))


if __name__ == "__main__":
    main(sys.argv[1:])
