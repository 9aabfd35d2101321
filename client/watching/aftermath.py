"""What happens to a file once its picture is done."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

Aftermath = Callable[[Path, str, str], None]
"""Takes the path of a file, its name within the folder and the picture's hash.

Raises:
    OSError: the file stays where it is.
"""


def delete(path: Path, _name: str, _picture: str) -> None:
    """Delete the file."""
    path.unlink()


def move_to(folder: Path) -> Aftermath:
    """Move files to a folder, at their paths in the watched one."""
    return partial(_move, folder)


def _move(folder: Path, path: Path, name: str, picture: str) -> None:
    """Move a file; where another one has its name already, the hash's first digits tell them apart."""
    target = folder / name
    if target.exists():
        target = target.with_name(f"{target.stem}.{picture[:8]}{target.suffix}")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        path.rename(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        part = target.with_name(
            f".{target.name}.part"
        )  # on another file system: never half a file in its place
        shutil.copy2(path, part)
        part.replace(target)
        path.unlink()
