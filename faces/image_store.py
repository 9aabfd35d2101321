"""The image store: originals kept once, each under its hash, in a folder or a bucket.

Optional. Without one a picture travels inside its message, and nobody's photograph outlives its processing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from fsspec.core import url_to_fs
from fsspec.implementations.local import LocalFileSystem

from faces.errors import ImageStoreError, PictureError, SettingError
from faces.formats.signatures import PictureBytes
from faces.picture_id import picture_id_of


class ImageStore:
    """Originals at `<url>/<first two digits>/<hash>`.

    Raises:
        SettingError: the address cannot be used.
    """

    def __init__(self, url: str) -> None:
        try:
            filesystem, root = url_to_fs(url)
        except (ValueError, ImportError) as error:
            raise SettingError(f"IMAGE_STORE_URL is {url!r}: {error}") from error
        self._filesystem: Any = filesystem
        self._root = root.rstrip("/")

    def put(self, picture_id: str, data: PictureBytes) -> None:
        """Keep a picture; when this returns it is durable. Keeping it again changes nothing.

        Raises:
            ImageStoreError: the store is away or full.
        """
        with _translated():
            if isinstance(self._filesystem, LocalFileSystem):
                _write_whole(Path(self._path(picture_id)), data)
            else:
                # buckets show an object whole or not at all
                self._filesystem.pipe_file(self._path(picture_id), bytes(data))

    def get(self, picture_id: str) -> bytes:
        """Fetch a picture.

        Raises:
            PictureError: it is not there, or its bytes are not those that it was named for.
            ImageStoreError: the store is away.
        """
        try:
            with _translated():
                data = bytes(self._filesystem.cat_file(self._path(picture_id)))
        except FileNotFoundError as error:
            self._check_root()
            raise PictureError(
                "the picture is not in the image store: send it again", code="missing"
            ) from error
        if picture_id_of(data) != picture_id:
            raise PictureError("the picture in the image store is damaged: send it again", code="damaged")
        return data

    def delete(self, picture_id: str) -> bool:
        """Remove a picture; False if it was not there.

        Raises:
            ImageStoreError: the store is away.
        """
        try:
            with _translated():
                self._filesystem.rm_file(self._path(picture_id))
        except FileNotFoundError:
            return False
        return True

    def has(self, picture_id: str) -> bool:
        """Tell whether a picture is kept.

        Raises:
            ImageStoreError: the store is away.
        """
        with _translated():
            return bool(self._filesystem.exists(self._path(picture_id)))

    def _check_root(self) -> None:
        """See that the store itself is there: a disk that is not mounted has no pictures either."""
        with _translated():
            there = self._filesystem.exists(self._root)
        if not there:
            raise ImageStoreError(f"the image store is not there: {self._root}")

    def _path(self, picture_id: str) -> str:
        return f"{self._root}/{picture_id[:2]}/{picture_id}"


def open_image_store(url: str) -> ImageStore | None:
    """Open the image store at an address; None if there is none."""
    return ImageStore(url) if url else None


def _write_whole(path: Path, data: PictureBytes) -> None:
    """Write a file so that it is there whole or not at all, whatever crashes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _translated() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except Exception as error:  # each backend of fsspec raises errors of its own
        raise ImageStoreError(f"the image store is not usable: {error}") from error
