"""Videos in the image store, each under its hash: written as they arrive, read in pieces, never held in memory."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, BinaryIO, cast
from uuid import uuid4

from fsspec.implementations.local import LocalFileSystem

from faces.errors import ImageStoreError, VideoError
from faces.formats.videos import HEAD, is_video
from faces.image_store.filesystem import open_store, store_errors, sync_folder

PIECE = 1 << 20  # bytes
ABANDONED = 86_400.0  # seconds after which an upload that is not kept has lost its server


class Upload:
    """A video that has arrived under a name of its own. `keep` it, or it is gone."""

    def __init__(self, filesystem: Any, part: str, video_id: str, size: int) -> None:
        self.video_id = video_id
        self.size = size
        self._filesystem = filesystem
        self._part = part

    def keep(self, path: str) -> None:
        """Move it to its place; when this returns it is durable there."""
        with store_errors():
            if isinstance(self._filesystem, LocalFileSystem):
                Path(path).parent.mkdir(parents=True, exist_ok=True)
                Path(self._part).replace(path)
                sync_folder(Path(path).parent)
                sync_folder(Path(path).parent.parent)
            else:
                self._filesystem.mv(self._part, path)


class VideoStore:
    """Videos at `<url>/videos/<first two digits>/<hash>`, where no picture is looked for.

    Raises:
        SettingError: the URL cannot be used.
    """

    def __init__(self, url: str) -> None:
        self._filesystem, root = open_store(url)
        self._root = f"{root}/videos"
        self._arriving = f"{self._root}/arriving"

    @contextmanager
    def receiving(self, stream: IO[bytes], largest: int) -> Iterator[Upload]:
        """Write a stream into the store; what is not kept is removed at the end.

        Raises:
            VideoError: it is no video, or has more than `largest` bytes.
            ImageStoreError: the store is unavailable or full.
        """
        head = stream.read(HEAD)
        if not is_video(head):
            raise VideoError(
                "the body is not an MP4, MOV, MKV, WebM, AVI, WMV or FLV file: send the file itself, not a form"
            )
        self._sweep()
        part = f"{self._arriving}/{uuid4().hex}"
        try:
            yield self._written(part, head, stream, largest)
        finally:
            with suppress(FileNotFoundError, ImageStoreError), store_errors():
                self._filesystem.rm_file(part)

    def keep(self, upload: Upload) -> None:
        """Keep a video that has arrived.

        Raises:
            ImageStoreError: the store is unavailable or full.
        """
        upload.keep(self._path(upload.video_id))

    @contextmanager
    def opened(self, video_id: str) -> Iterator[BinaryIO]:
        """Open a video to read it in pieces.

        Raises:
            VideoError: `missing`: it is not there.
            ImageStoreError: the store is unavailable.
        """
        try:
            with store_errors():
                file = self._filesystem.open(self._path(video_id), "rb")
        except FileNotFoundError as error:
            raise VideoError("the video is not in the image store: send it again", code="missing") from error
        try:
            yield cast("BinaryIO", file)
        finally:
            file.close()

    def delete(self, video_id: str) -> bool:
        """Remove a video; False if it was not there.

        Raises:
            ImageStoreError: the store is unavailable.
        """
        try:
            with store_errors():
                self._filesystem.rm_file(self._path(video_id))
        except FileNotFoundError:
            return False
        return True

    def _written(self, part: str, head: bytes, stream: IO[bytes], largest: int) -> Upload:
        digest, size, piece = hashlib.sha256(), 0, head
        with store_errors():
            self._filesystem.makedirs(self._arriving, exist_ok=True)
            file = self._filesystem.open(part, "wb")
        try:
            while piece:
                digest.update(piece)
                size += len(piece)
                if size > largest:
                    raise VideoError(
                        f"the video has more than the {largest:,} bytes allowed (MAX_VIDEO_BYTES)",
                        code="too_large",
                    )
                with store_errors():
                    file.write(piece)
                piece = stream.read(PIECE)
            if isinstance(self._filesystem, LocalFileSystem):
                with store_errors():
                    file.flush()
                    os.fsync(file.fileno())
        finally:
            with store_errors():
                file.close()
        return Upload(self._filesystem, part, digest.hexdigest(), size)

    def _sweep(self) -> None:
        """Remove what servers that were killed have left of uploads."""
        with suppress(FileNotFoundError, ImageStoreError), store_errors():
            for path in self._filesystem.ls(self._arriving, detail=False, refresh=True):
                if time.time() - self._filesystem.modified(path).timestamp() > ABANDONED:
                    self._filesystem.rm_file(path)

    def _path(self, video_id: str) -> str:
        return f"{self._root}/{video_id[:2]}/{video_id}"


def open_video_store(url: str) -> VideoStore | None:
    """Open the videos in the image store at a URL; None if it is empty."""
    return VideoStore(url) if url else None
