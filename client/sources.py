"""From what a person names at the terminal to the pictures to send, each under its name."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from client.errors import Refused, UsageError
from faces.picture_id import picture_id_of


@dataclass(frozen=True, slots=True)
class Source:
    """A picture to send.

    A URL, which is its own name, has no path; a frame of a video has its bytes instead. `unusable` says why there
    is nothing to send.
    """

    name: str
    path: Path | None
    data: bytes | None = None
    unusable: Refused | None = None


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


def pictures_at(path: Path, folder: Path, suffixes: Collection[str]) -> Iterator[Source]:
    """Yield the picture at a path in a folder, or all below it, sorted; each is named by its path in the folder.

    Hidden files and folders, links to folders, and files without one of the suffixes are skipped.
    """
    if any(part.startswith(".") for part in path.relative_to(folder).parts):
        return
    if not path.is_dir():
        yield from _picture(path, folder, suffixes)
    elif path == folder or not path.is_symlink():
        for root, folders, files in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(files):
                yield from _picture(Path(root, name), folder, suffixes)


def hash_of(path: Path) -> str | None:
    """Return the hash of a file, None if it cannot be read."""
    try:
        return picture_id_of(path.read_bytes())
    except OSError:
        return None


def _picture(path: Path, folder: Path, suffixes: Collection[str]) -> Iterator[Source]:
    if path.suffix.lower() in suffixes and not path.name.startswith("."):
        yield Source(path.relative_to(folder).as_posix(), path)


def _of(target: str, suffixes: Collection[str]) -> Iterator[Source]:
    path = Path(target)
    if is_url(target):
        yield Source(target, None)
    elif path.is_dir():
        yield from pictures_at(path, path, suffixes)
    elif path.exists():
        yield Source(path.name, path)
    else:
        raise UsageError(f"no such file or folder: {target}")


def _same(one: Source, other: Source) -> bool:
    if one.path is None or other.path is None:
        return one.path is other.path
    return one.path.resolve() == other.path.resolve()
