"""The image store: originals, crops of their faces, or both, in a folder or a bucket.

Optional. Without originals a picture travels inside its message, and no photograph outlives its processing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from fsspec.implementations.local import LocalFileSystem

from faces.errors import ImageStoreError, PictureError
from faces.formats.signatures import PictureBytes
from faces.image_store import crops
from faces.image_store.filesystem import open_store, part_of, store_errors, write_whole
from faces.picture_id import is_picture_id, picture_id_of

CROPS = ".faces.zip"  # after the hash


class Deleted(NamedTuple):
    """What was removed."""

    original: bool
    crops: bool


class ImageStore:
    """Originals at `<url>/<first two digits>/<hash>`, the crops of their faces at `<hash>.faces.zip` beside them.

    Raises:
        SettingError: the URL cannot be used.
    """

    def __init__(self, url: str) -> None:
        self._filesystem, self._root = open_store(url)

    def put(self, picture_id: str, data: PictureBytes) -> None:
        """Store a picture; when this returns it is durable. Storing it again changes nothing.

        Raises:
            ImageStoreError: the store is unavailable or full.
        """
        self._write(self._path(picture_id), data)

    def put_crops(self, picture_id: str, jpegs: Sequence[bytes]) -> None:
        """Store the crops of a picture's faces, in their order, in place of earlier ones.

        Raises:
            ImageStoreError: the store is unavailable or full.
        """
        self._write(self._path(picture_id) + CROPS, crops.pack(jpegs))

    def get(self, picture_id: str) -> bytes:
        """Fetch a picture.

        Raises:
            PictureError: it is not there, or its bytes do not have its hash.
            ImageStoreError: the store is unavailable.
        """
        try:
            with store_errors():
                data = bytes(self._filesystem.cat_file(self._path(picture_id)))
        except FileNotFoundError as error:
            self._check_root()
            raise PictureError(
                "the picture is not in the image store: send it again", code="missing"
            ) from error
        if picture_id_of(data) != picture_id:
            raise PictureError("the picture in the image store is damaged: send it again", code="damaged")
        return data

    def crop(self, picture_id: str, index: int) -> bytes | None:
        """Fetch the crop of a face, a JPEG; None if it is not there.

        Raises:
            ImageStoreError: the store is unavailable.
        """
        try:
            with store_errors():
                packed = bytes(self._filesystem.cat_file(self._path(picture_id) + CROPS))
        except FileNotFoundError:
            return None
        return crops.unpack(packed, index)

    def delete(self, picture_id: str) -> Deleted:
        """Remove a picture and its crops, and what of them a process that was killed has left.

        Raises:
            ImageStoreError: the store is unavailable.
        """
        if isinstance(self._filesystem, LocalFileSystem):
            with store_errors():
                for part in Path(self._path(picture_id)).parent.glob(part_of(f"{picture_id}*", "*")):
                    part.unlink(missing_ok=True)
        original = self._remove(self._path(picture_id))
        return Deleted(original, self.delete_crops(picture_id))

    def delete_crops(self, picture_id: str) -> bool:
        """Remove the crops of a picture; False if there were none.

        Raises:
            ImageStoreError: the store is unavailable.
        """
        return self._remove(self._path(picture_id) + CROPS)

    def has(self, picture_id: str) -> bool:
        """Tell whether an original is stored.

        Raises:
            ImageStoreError: the store is unavailable.
        """
        return self._exists(self._path(picture_id))

    def has_crops(self, picture_id: str) -> bool:
        """Tell whether the crops of a picture are stored.

        Raises:
            ImageStoreError: the store is unavailable.
        """
        return self._exists(self._path(picture_id) + CROPS)

    def pictures(self) -> Iterator[list[str]]:
        """Yield the hashes of all pictures of which anything is stored, a folder at a time.

        Raises:
            ImageStoreError: the store is unavailable.
        """
        for folder in self._names(self._root):
            names = {name.removesuffix(CROPS) for name in self._names(f"{self._root}/{folder}")}
            yield sorted(filter(is_picture_id, names))

    def age(self, picture_id: str, now: float) -> float | None:
        """Return how long ago anything of a picture was stored, in seconds, at a Unix time; None: nothing is there.

        Raises:
            ImageStoreError: the store is unavailable.
        """
        path = self._path(picture_id)
        stored = [time for time in (self._modified(path), self._modified(path + CROPS)) if time is not None]
        return now - max(stored) if stored else None

    def _modified(self, path: str) -> float | None:
        try:
            with store_errors():
                return float(self._filesystem.modified(path).timestamp())
        except FileNotFoundError:
            return None

    def _exists(self, path: str) -> bool:
        with store_errors():
            return bool(self._filesystem.exists(path))

    def _remove(self, path: str) -> bool:
        try:
            with store_errors():
                self._filesystem.rm_file(path)
        except FileNotFoundError:
            return False
        return True

    def _write(self, path: str, data: PictureBytes) -> None:
        try:
            with store_errors():
                if isinstance(self._filesystem, LocalFileSystem):
                    write_whole(Path(path), data)
                else:  # buckets show an object whole or not at all
                    self._filesystem.pipe_file(path, bytes(data))
        except FileNotFoundError as error:
            raise ImageStoreError("the picture was erased while it was stored") from error

    def _names(self, folder: str) -> list[str]:
        try:
            with store_errors():
                paths = self._filesystem.ls(folder, detail=False, refresh=True)
        except FileNotFoundError:
            return []
        return [str(path).rstrip("/").rpartition("/")[2] for path in paths]

    def _check_root(self) -> None:
        """Check that the store itself is there: a disk that is not mounted has no pictures either."""
        with store_errors():
            there = self._filesystem.exists(self._root)
        if not there:
            raise ImageStoreError(f"the image store does not exist: {self._root}")

    def _path(self, picture_id: str) -> str:
        return f"{self._root}/{picture_id[:2]}/{picture_id}"


def open_image_store(url: str) -> ImageStore | None:
    """Open the image store at a URL; None if it is empty."""
    return ImageStore(url) if url else None
