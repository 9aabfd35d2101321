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
from typing import IO

from faces.errors import PictureError
from faces.formats.signatures import PictureBytes

IN_MEMORY = 1 << 20  # bytes; larger ones go through a temporary file
PIECE = 1 << 16


@dataclass(frozen=True, slots=True)
class Upload:
    """A picture that was sent, and its name; None: none was given."""

    name: str | None
    data: PictureBytes


@contextmanager
def received(stream: IO[bytes], largest: int) -> Iterator[PictureBytes]:
    """Read a stream to its end.

    Raises:
        PictureError: `too_large`: it has more than `largest` bytes.
    """
    with SpooledTemporaryFile(IN_MEMORY) as file:
        size = 0
        while piece := stream.read(PIECE):
            size += len(piece)
            if size > largest:
                raise PictureError(
                    f"the picture has more than the {largest} bytes allowed: send a smaller one",
                    code="too_large",
                )
            file.write(piece)
        file.seek(0)
        if size <= IN_MEMORY:
            yield file.read()
        else:
            file.flush()
            with mmap(file.fileno(), 0, access=ACCESS_READ) as data:
                yield data


def members(stream: IO[bytes]) -> Iterator[tuple[str, IO[bytes]]]:
    """The regular files of a tar archive, each with its name, as they arrive; nothing is extracted anywhere.

    Raises:
        tarfile.TarError: the stream is not an archive, or is cut short.
    """
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for member in archive:
            if member.isfile() and (file := archive.extractfile(member)) is not None:
                yield member.name, file
