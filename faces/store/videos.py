"""Videos: what is known of each, how far its extraction is, and which of its frames became pictures.

The document of a video has one writer at a time for each field, and every change watches it. A frame is recorded
before it is accepted as a picture, so whoever erases a video knows all its frames, whatever dies in between.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Literal

from faces.documents import fields_of, to_json
from faces.errors import StoreError
from faces.store.client import Command, RedisClient
from faces.store.keys import HOME, VIDEOS, video_frames_key, video_key

State = Literal["pending", "done", "failed", "erasing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Video:
    """A video; times of day are Unix seconds, times in the video are seconds from its beginning.

    Attributes:
        hash: SHA-256 of the file.
        name: what it was first sent as; its frames are named after it.
        state: `pending`, or how the extraction ended; `erasing` while its frames are being erased.
        accepted: when it was sent.
        size: of the file, in bytes.
        request_id: of the request that sent it.
        finished: when the extraction ended; None while one is or may be under way.
        seconds: how long it is; None until that is known, or if its header does not tell.
        width, height: in pixels, as stored; None until that is known.
        reached: how far the extraction is.
        position: time of the last frame recorded, from which an extraction goes on.
        starts: how often an extraction was begun since the last frame was recorded.
        code, reason: what is wrong with it, for programs and for people.
    """

    hash: str
    name: str
    state: State
    accepted: float
    size: int
    request_id: str = ""
    finished: float | None = None
    seconds: float | None = None
    width: int | None = None
    height: int | None = None
    reached: float = 0.0
    position: float = 0.0
    starts: int = 0
    code: str | None = None
    reason: str | None = None

    @classmethod
    def from_json(cls, document: bytes | None) -> Video | None:
        """Read a stored document; None if there is none.

        Raises:
            StoreError: it is damaged.
        """
        if document is None:
            return None
        try:
            return cls(**fields_of(cls, document))
        except (ValueError, TypeError) as error:
            raise StoreError("the document of a video in Redis is damaged: erase the video") from error


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that became a picture, and the time at which it is shown."""

    seconds: float
    picture_id: str


@dataclass(frozen=True, slots=True)
class Page:
    """Part of the list of videos; it goes on before the time `following`, None at its end."""

    videos: list[Video]
    following: float | None


Change = Callable[[Video], Video | None]
"""Makes another document of a video's; None: leaves it."""


def accept(redis: RedisClient, new: Video) -> Video | None:
    """Record a video as accepted; one that failed is tried again from its beginning.

    Returns:
        What was known of it before; None if it is new.

    Raises:
        StoreError: Redis is unavailable, or the video is being erased.
    """
    while True:
        with redis.session() as session:
            _, document = session.ask(
                (HOME, "WATCH", video_key(new.hash)), (HOME, "GET", video_key(new.hash))
            )
            before = Video.from_json(document)
            if before is not None and before.state == "erasing":
                raise StoreError("the video is still being erased: send it again in a minute")
            if before is not None and before.state != "failed":
                return before
            after = new if before is None else replace(new, name=before.name)
            if session.commit(*_saving(after), _listing(after)) is not None:
                return before


def restore(redis: RedisClient, video_id: str, before: Video | None) -> None:
    """Undo an acceptance that could not be published."""
    if before is None:
        forget(redis, video_id)
    else:
        change(redis, video_id, lambda _: before)


def find(redis: RedisClient, video_id: str) -> Video | None:
    """What is known of a video; None if nothing."""
    (document,) = redis.ask((HOME, "GET", video_key(video_id)))
    return Video.from_json(document)


def change(redis: RedisClient, video_id: str, to: Change, *more: Command) -> Video | None:
    """Change what is known of a video, and run more commands in the same transaction.

    Returns:
        What is known of it now; None if nothing is known, or `to` left it as it was.

    Raises:
        StoreError: Redis is unavailable.
    """
    while True:
        with redis.session() as session:
            _, document = session.ask(
                (HOME, "WATCH", video_key(video_id)), (HOME, "GET", video_key(video_id))
            )
            before = Video.from_json(document)
            after = None if before is None else to(before)
            if after is None:
                return None
            if session.commit(*_saving(after), *more) is not None:
                return after


def record(redis: RedisClient, video_id: str, frame: Frame) -> bool:
    """Record a frame that is about to become a picture; False if the video is not to be extracted any more."""
    entry = (HOME, "ZADD", video_frames_key(video_id), repr(frame.seconds), _member(frame))

    def recorded(video: Video) -> Video | None:
        if video.state != "pending":
            return None
        reached = max(video.reached, frame.seconds)
        return replace(video, position=frame.seconds, reached=reached, starts=0)

    return change(redis, video_id, recorded, entry) is not None


def frames(redis: RedisClient, video_id: str, *, first: int = 0, most: int = 0) -> list[Frame]:
    """The frames of a video that became pictures, in order of time; from a place on, `most` of them (0: all)."""
    last = first + most - 1 if most else -1
    (members,) = redis.ask((HOME, "ZRANGE", video_frames_key(video_id), first, last))
    return [_frame(member) for member in members]


def finish(redis: RedisClient, video_id: str, to: Change) -> Video | None:
    """End an extraction; None if the video is no longer being extracted."""

    def finished(video: Video) -> Video | None:
        after = to(video) if video.state == "pending" else None
        return None if after is None else replace(after, finished=time.time(), starts=0)

    return change(redis, video_id, finished)


def forget(redis: RedisClient, video_id: str) -> None:
    """Remove all that is known of a video."""
    redis.ask(
        (HOME, "DEL", video_key(video_id), video_frames_key(video_id)),
        (HOME, "ZREM", VIDEOS, bytes.fromhex(video_id)),
    )


def page(redis: RedisClient, limit: int, before: float | None = None) -> Page:
    """Videos that were accepted before a time, newest first; without those that are being erased."""
    newest = "+inf" if before is None else f"({before!r}"
    (digests,) = redis.ask((HOME, "ZREVRANGEBYSCORE", VIDEOS, newest, "-inf", "LIMIT", 0, limit))
    if not digests:
        return Page([], None)
    (documents,) = redis.ask((HOME, "MGET", *(video_key(digest.hex()) for digest in digests)))
    found = [video for video in map(Video.from_json, documents) if video is not None]
    following = found[-1].accepted if len(found) == limit else None
    return Page([video for video in found if video.state != "erasing"], following)


def _saving(video: Video) -> list[Command]:
    return [(HOME, "SET", video_key(video.hash), to_json(asdict(video)))]


def _listing(video: Video) -> Command:
    return (HOME, "ZADD", VIDEOS, repr(video.accepted), bytes.fromhex(video.hash))


def _member(frame: Frame) -> str:
    return f"{frame.seconds!r} {frame.picture_id}"


def _frame(member: bytes) -> Frame:
    seconds, _, picture_id = member.decode().partition(" ")
    return Frame(float(seconds), picture_id)
