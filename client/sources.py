"""From what a person names at the terminal to the pictures to send, each under its name."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from client.errors import UsageError


@dataclass(frozen=True, slots=True)
class Source:
    """A picture to send; a URL, which is its own name, has no path."""

    name: str
    path: Path | None


def find(targets: Iterable[str], suffixes: Collection[str]) -> list[Source]:
    """Return the pictures in files, folders and URLs, each once, in order.

    A file is sent under its own name, one in a folder under its path within that folder if it has one of the
    suffixes, such as `.jpg`.

    Raises:
        UsageError: a file or folder does not exist, or two different files would get the same name.
    """
    sources: dict[str, Source] = {}
    for source in (source for target in targets for source in _of(target, suffixes)):
        other = sources.setdefault(source.name, source)
        if not _same(source, other):
            raise UsageError(
                f"{other.path} and {source.path} would both be named {source.name}: "
                "give the folder above both, and each is named by its path in it"
            )
    return list(sources.values())


def is_url(target: str) -> bool:
    """Tell a URL from a path."""
    return target.lower().startswith(("http://", "https://"))


def _of(target: str, suffixes: Collection[str]) -> Iterator[Source]:
    path = Path(target)
    if is_url(target):
        yield Source(target, None)
    elif path.is_dir():
        yield from _in(path, suffixes)
    elif path.exists():
        yield Source(path.name, path)
    else:
        raise UsageError(f"no such file or folder: {target}")


def _in(folder: Path, suffixes: Collection[str]) -> Iterator[Source]:
    """Pictures below a folder, sorted; hidden files and folders, and links to folders, are skipped."""
    for root, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(files):
            path = Path(root, name)
            if path.suffix.lower() in suffixes and not name.startswith("."):
                yield Source(path.relative_to(folder).as_posix(), path)


def _same(one: Source, other: Source) -> bool:
    if one.path is None or other.path is None:
        return one.path is other.path
    return one.path.resolve() == other.path.resolve()
