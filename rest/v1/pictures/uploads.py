"""The pictures in a request: a raw body, the files of a form, the URLs in a JSON document, a tar archive.

Each is read piece by piece into memory or, if it is large, a temporary file: at most one picture at a time.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from tempfile import SpooledTemporaryFile
from typing import IO, Self

from faces.errors import PictureError
from faces.formats.signatures import PictureBytes

IN_MEMORY = 1 << 20  # bytes; larger ones go through a temporary file
PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture that was sent, and its name; None: none was given."""

    name: str | None
    data: PictureBytes


class Spool:
    """A picture on its way in: what has come of it is in memory or, once it is large, in a temporary file.

    A context manager: the file ends with it, and what `whole` gave is no longer valid.
    """

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._size = 0
        self._file = SpooledTemporaryFile[bytes](IN_MEMORY)
        self._mapped: mmap | None = None

    def write(self, piece: bytes) -> None:
        """Add what has come.

        Raises:
            PictureError: `too_large`: there are more bytes than allowed.
        """
        self._size += len(piece)
        if self._size > self._largest:
            raise PictureError(
                f"the picture has more than the {self._largest} bytes allowed: send a smaller one",
                code="too_large",
            )
        self._file.write(piece)

    def whole(self) -> PictureBytes:
        """All of it."""
        if self._size <= IN_MEMORY:
            self._file.seek(0)
            return self._file.read()
        self._file.flush()
        self._mapped = mmap(self._file.fileno(), 0, access=ACCESS_READ)
        return self._mapped

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Drop it."""
        if self._mapped is not None:
            self._mapped.close()
        self._file.close()


@contextmanager
def received(stream: IO[bytes], largest: int) -> Iterator[PictureBytes]:
    """Read a stream to its end.

    Raises:
        PictureError: `too_large`: it has more than `largest` bytes.
    """
    with Spool(largest) as spool:
        while piece := stream.read(PIECE):
            spool.write(piece)
        yield spool.whole()


def members(stream: IO[bytes]) -> Iterator[tuple[str, IO[bytes]]]:
    """The regular files of a tar archive, each with its name, as they arrive; nothing is extracted anywhere.

    Raises:
        tarfile.TarError: the stream is not an archive, or is cut short.
    """
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            if member.isfile() and (file := archive.extractfile(member)) is not None:
                yield member.name, file
