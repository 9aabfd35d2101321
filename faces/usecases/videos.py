"""Accept a video, and erase one with its frames: what the server and the video process share."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import IO

from faces.errors import Transient
from faces.formats.videos import frame_name
from faces.image_store.pictures import ImageStore
from faces.image_store.videos import Upload, VideoStore
from faces.messaging.message import Message
from faces.store import videos
from faces.store.access.audit_log import AuditLog
from faces.store.client import RedisClient
from faces.store.videos import Video
from faces.usecases.erase import RemoveMessages, erase_picture
from faces.usecases.ingest import MAX_NAME_LENGTH, check_name
from faces.usecases.publication import Publish

LONGEST_SUFFIX = len(
    frame_name("", 999_999.999)
)  # characters by which a frame's name is longer than its video's


@dataclass(frozen=True, slots=True)
class AcceptedVideo:
    """An accepted video; `new` means that it is still to be extracted."""

    video_id: str
    name: str
    new: bool


@dataclass(frozen=True)
class VideoIngest:
    """Accepts videos. Threads may share this object if they may share its parts."""

    redis: RedisClient
    publish: Publish
    video_store: VideoStore
    largest: int
    audit_log: AuditLog

    def accept(self, stream: IO[bytes], name: str | None, *, request_id: str, key: str = "") -> AcceptedVideo:
        """Accept a video as it arrives, under a name (None: its hash); `key` is the caller's API key, if any.

        One that is still pending is queued once more, which does no harm and helps if its message was lost.

        Raises:
            PictureNameError: the name is empty, not text, or too long for what its frames are called.
            VideoError: it is no video, or too large.
            Transient: Redis, RabbitMQ or the image store is unavailable; nothing was accepted.
        """
        if name is not None:
            check_name(name, MAX_NAME_LENGTH - LONGEST_SUFFIX)
        with self.video_store.receiving(stream, self.largest) as upload:
            video_id = upload.video_id
            if key:
                self.audit_log.note(key, "scan", video_id, request_id)
            new = Video(
                hash=video_id,
                name=video_id if name is None else name,
                state="pending",
                accepted=time.time(),
                size=upload.size,
                request_id=request_id,
            )
            return self._accepted(new, upload)

    def _accepted(self, new: Video, upload: Upload) -> AcceptedVideo:
        before = videos.accept(self.redis, new)
        name = new.name if before is None else before.name
        if before is not None and before.state == "done":
            return AcceptedVideo(new.hash, name, new=False)
        try:
            self.video_store.keep(upload)
            self.publish(Message(new.hash, name, None, new.request_id))
        except Transient:
            if before is None or before.state == "failed":
                videos.restore(self.redis, new.hash, before)
                self.video_store.delete(new.hash)
            raise
        return AcceptedVideo(new.hash, name, new=True)


@dataclass(frozen=True, slots=True)
class ErasedVideo:
    """What was erased: frames that were pictures, faces in them, and whether the video itself was there."""

    name: str
    frames: int
    faces: int
    original: bool


@dataclass(frozen=True)
class VideoEraser:
    """Erases videos with their frames."""

    redis: RedisClient
    image_store: ImageStore
    video_store: VideoStore
    audit_log: AuditLog
    remove_messages: RemoveMessages

    def erase(self, video_id: str, *, actor: str, request_id: str = "") -> ErasedVideo | None:
        """Erase a video with its frames; None if there is none. `actor` goes into the audit log, unless empty.

        While it is being extracted, the process that does so erases what it has added meanwhile, and then the
        last that is known of it.

        Raises:
            Transient: Redis, the image store or RabbitMQ is unavailable; erasing again completes what was begun.
        """
        if actor:
            self.audit_log.note(actor, "erase", video_id, request_id)
        video = videos.change(self.redis, video_id, _erasing)
        if video is None:
            return None
        erased = self._erase_frames(video)
        if video.finished is not None:
            videos.forget(self.redis, video_id)
        return erased

    def complete(self, video: Video) -> None:
        """Erase what an extraction added while its video was being erased; it has ended.

        Raises:
            Transient: as `erase`.
        """
        self._erase_frames(video)
        videos.forget(self.redis, video.hash)

    def _erase_frames(self, video: Video) -> ErasedVideo:
        picture_ids = {frame.picture_id for frame in videos.frames(self.redis, video.hash)}
        receipts = [self._erase_frame(picture_id) for picture_id in picture_ids]
        self.remove_messages(picture_ids)
        found = [faces for faces in receipts if faces is not None]
        return ErasedVideo(video.name, len(found), sum(found), self.video_store.delete(video.hash))

    def _erase_frame(self, picture_id: str) -> int | None:
        """Erase a frame; return how many faces it had, None if it was not known."""
        erased = erase_picture(
            self.redis, self.image_store, self.audit_log, _nothing_to_remove, picture_id, actor=""
        )
        return erased.receipt.faces if erased.receipt.state is not None else None


def _erasing(video: Video) -> Video:
    return replace(video, state="erasing")


def _nothing_to_remove(_: Iterable[str]) -> int:
    """Messages of all frames are removed together, as each look through RabbitMQ's queues takes a while."""
    return 0
