"""What was sent from a folder, kept in a file so that a restart sends nothing twice.

The server knows which pictures it has, but not those that it refused, and must not get back those that were erased.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from client.errors import UsageError
from client.watching.stamp import Stamp

TABLE = """
CREATE TABLE IF NOT EXISTS files (
    name BLOB PRIMARY KEY, size INTEGER NOT NULL, mtime INTEGER NOT NULL, hash TEXT, state TEXT NOT NULL
)
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """A file that was sent.

    Attributes:
        stamp: of the file that was sent.
        hash: SHA-256 of what was sent; None if the picture was refused.
        state: `accepted`, `done`, `failed` or `refused`.
    """

    stamp: Stamp
    hash: str | None
    state: str


class Record:
    """Entries by the name that a file was sent under, each written at once. Only one process may have it open."""

    def __init__(self, path: Path) -> None:
        """Open the record, or start one.

        Raises:
            UsageError: the file cannot be used, or another process uses it. Every other method may raise it, too.
        """
        self._path = path
        try:
            self._database = sqlite3.connect(path, timeout=0, isolation_level=None)
        except sqlite3.Error as error:
            raise UsageError(_unusable(path, error)) from error
        # Neither mode needs memory that processes share, which network shares lack.
        self._execute("PRAGMA locking_mode = EXCLUSIVE")
        self._execute("PRAGMA journal_mode = WAL")
        self._execute("PRAGMA synchronous = NORMAL")
        self._execute(TABLE)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def get(self, name: str) -> Entry | None:
        """Return what is recorded of a file."""
        found = self._execute("SELECT size, mtime, hash, state FROM files WHERE name = ?", os.fsencode(name))
        return Entry(Stamp(*found[0][:2]), *found[0][2:]) if found else None

    def put(self, name: str, entry: Entry) -> None:
        """Record a file, in place of what was recorded of it."""
        row = (os.fsencode(name), *entry.stamp, entry.hash, entry.state)
        self._execute("REPLACE INTO files VALUES (?, ?, ?, ?, ?)", *row)

    def remove(self, name: str) -> None:
        """Forget a file."""
        self._execute("DELETE FROM files WHERE name = ?", os.fsencode(name))

    def accepted(self) -> Iterator[tuple[str, str]]:
        """Yield name and hash of each picture that was accepted and not yet found done or failed, oldest first."""
        for name, picture in self._execute(
            "SELECT name, hash FROM files WHERE state = 'accepted' ORDER BY rowid"
        ):
            yield os.fsdecode(name), picture

    def forget_failures(self) -> None:
        """Forget the pictures that failed or were refused, so that they are sent again."""
        self._execute("DELETE FROM files WHERE state IN ('failed', 'refused')")

    def _execute(self, statement: str, *values: object) -> list[Any]:
        try:
            return self._database.execute(statement, values).fetchall()
        except sqlite3.Error as error:
            raise UsageError(_unusable(self._path, error)) from error


def _unusable(path: Path, error: sqlite3.Error) -> str:
    if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
        return f"another facefleet watch has {path} open: end it first, or name another file with --state"
    return f"{path} cannot record what was sent ({error}): name another file with --state"
