"""The pictures of a form or an archive, some at a time: those of a batch are accepted and published together."""

from __future__ import annotations

from contextlib import ExitStack
from typing import IO, Self

from flask import g

from faces.errors import PictureError
from faces.usecases.ingest import Upload
from rest.parts import parts
from rest.v1.pictures.items import Item, item_of, refused
from rest.v1.pictures.uploads import received

MAX_PICTURES = 32  # pictures of a batch
MAX_BYTES = 4 << 20  # of a batch together, its last picture excepted: it is held until all are published


class Batch:
    """Pictures that were read and are still to be taken.

    A context manager: what was read before the request broke off is taken.
    """

    def __init__(self) -> None:
        self._files = ExitStack()
        self._read: list[Upload | Item] = []
        self._bytes = 0

    @property
    def full(self) -> bool:
        """Whether it is to be taken before another picture is read."""
        return len(self._read) == MAX_PICTURES or self._bytes >= MAX_BYTES

    def add(self, name: str | None, file: IO[bytes]) -> None:
        """Read a picture."""
        try:
            data = self._files.enter_context(received(file, parts().settings.largest_picture))
        except PictureError as error:
            self._read.append(refused(name, error.code, str(error)))
            return
        self._read.append(Upload(data, name))
        self._bytes += len(data)

    def take(self) -> list[Item]:
        """Accept and publish what was read; tell what became of each picture, in order."""
        read, self._read, self._bytes = self._read, [], 0
        uploads = [one for one in read if isinstance(one, Upload)]
        with self._files.pop_all():
            outcomes = iter(parts().ingest.accept_all(uploads, request_id=g.request_id, key=g.key))
        return [item_of(one.name, next(outcomes)) if isinstance(one, Upload) else one for one in read]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.take()
