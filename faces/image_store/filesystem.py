"""The file system of the image store: how it is opened, how its errors read, and how a file in a folder endures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from fsspec.core import url_to_fs

from faces.errors import ImageStoreError, SettingError
from faces.formats.signatures import PictureBytes


def open_store(url: str) -> tuple[Any, str]:
    """Open the file system at a URL; return it and the path of its root.

    Raises:
        SettingError: the URL cannot be used.
    """
    try:
        filesystem, root = url_to_fs(url)
    except (ValueError, ImportError) as error:
        raise SettingError(f"IMAGE_STORE_URL is {url!r}: {error}") from error
    return filesystem, root.rstrip("/")


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn whatever the file system raises into an ImageStoreError, except that a file is not there."""
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:  # each backend of fsspec raises errors of its own
        raise ImageStoreError(f"the image store is not usable: {error}") from error


def write_whole(path: Path, data: PictureBytes) -> None:
    """Write a file so that it is there whole or not at all, even after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(part_of(path.name, uuid4().hex))
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    for folder in (path.parent, path.parent.parent):  # the second has the first's own entry, if that is new
        sync_folder(folder)


def part_of(name: str, unique: str) -> str:
    """Name of a file while it is written."""
    return f".{name}.{unique}"


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable; a file's own fsync does not."""
    opened = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
