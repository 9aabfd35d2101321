"""Where labelled pictures come from: a folder of this machine, or CompreFace."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from pathlib import Path

from client.errors import Refused, UsageError
from client.idle_timeout import IdleTimeout
from client.importing.compreface import CompreFace
from client.importing.layouts import Labelled, Left
from client.terminal import bar

Origin = tuple[list[Labelled], list[Left]]
"""The labelled pictures, and those that nobody's name is known of."""
Layout = Callable[[Path, Collection[str]], Iterable[Labelled]]


def in_folder(folder: Path, layout: Layout, suffixes: Collection[str]) -> Origin:
    """Read a folder.

    Raises:
        UsageError: there is no such folder, or no picture in it that tells whom it shows.
    """
    if not folder.is_dir():
        raise UsageError(f"no such folder: {folder}")
    found = list(layout(folder, suffixes))
    labelled = [one for one in found if one.person]
    if not labelled:
        raise UsageError(f"no picture in {folder} is named after a person: see docs/import.md")
    nobody = [Left(one.source.name, "", "it is not named after a person") for one in found if not one.person]
    return labelled, nobody


def from_compreface(url: str, key_file: Path, folder: Path, idle_timeout: IdleTimeout) -> Origin:
    """Download a face collection into a folder; what is there is not fetched again.

    Raises:
        UsageError: CompreFace does not take the key, the folder cannot be written, or there is nothing.
        ServerError: CompreFace is still away when the timeout expires.
    """
    compreface = CompreFace(url, _key(key_file))
    examples = compreface.examples(idle_timeout)
    if not examples:
        raise UsageError(f"CompreFace at {url} has no examples in this recognition service")
    labelled, left = [], []
    with bar(len(examples), "downloading") as progress:
        for example in examples:
            try:
                folder.mkdir(parents=True, exist_ok=True)
                labelled.append(compreface.download(example, folder, idle_timeout))
            except Refused as error:
                left.append(Left(example.image_id, example.subject, str(error)))
            except OSError as error:
                raise UsageError(f"{folder} cannot be written: {error.strerror}") from error
            progress.update()
    return labelled, left


def _key(path: Path) -> str:
    try:
        return path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the key cannot be read from {path}: {error}") from error
