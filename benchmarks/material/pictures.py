"""The pictures that a benchmark works on."""

from __future__ import annotations

from pathlib import Path

SUFFIXES = {".jpg", ".jpeg", ".png", ".gif", ".bmp", ".webp"}


def pictures_in(folder: Path, most: int | None = None) -> list[Path]:
    """Give the pictures below a folder, by name; with `most`, that many spread evenly over them.

    Raises:
        SystemExit: there are none.
    """
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not found:
        raise SystemExit(f"{folder} has no pictures below it")
    if most is None or most >= len(found):
        return found
    return [found[len(found) * i // most] for i in range(most)]
