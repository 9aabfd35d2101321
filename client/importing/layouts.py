"""Whose picture it is, by folder or by file name."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from client.sources import Source, pictures_at

NUMBER = re.compile(r"[\s_.-]*(\d+|\(\d+\))$")
"""What tells the pictures of one person apart: `Ann_Lee_0001`, `obama2`, `Ann Lee (2)`."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A picture and the name of the person it shows; "" if nothing tells."""

    source: Source
    person: str


@dataclass(frozen=True, slots=True)
class Left:
    """A picture that nothing is stated about, and why."""

    name: str
    person: str
    reason: str


def by_folder(folder: Path, suffixes: Collection[str]) -> Iterator[Labelled]:
    """The pictures of a folder that has a folder for each person; those beside these folders are nobody's."""
    return _labelled(folder, suffixes, lambda name: name.partition("/")[0] if "/" in name else "")


def by_file_name(folder: Path, suffixes: Collection[str]) -> Iterator[Labelled]:
    """The pictures of a folder whose files are named after people, with or without a number."""
    return _labelled(folder, suffixes, lambda name: NUMBER.sub("", Path(name).stem))


def _labelled(folder: Path, suffixes: Collection[str], person: Callable[[str], str]) -> Iterator[Labelled]:
    for source in pictures_at(folder, folder, suffixes):
        yield Labelled(source, person(source.name).replace("_", " ").strip())
