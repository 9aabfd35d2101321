"""`/v1/videos`: send videos, ask how far each is and who is seen from when to when, and erase one."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Literal

from flask import Response, g, request
from pydantic import BaseModel, Field
from werkzeug.exceptions import NotFound

from faces import api_key
from faces.store import videos as store
from faces.store.videos import Video as StoredVideo
from rest.answers import answer
from rest.openapi import BINARY, Parameters, Routes
from rest.parts import Videos, parts
from rest.problems import ProblemError
from rest.v1 import cursors
from rest.v1.cursors import CursorText
from rest.v1.shapes import Hash, ImagePath
from rest.v1.videos.timelines import FrameCounts, SeenPerson, look

videos = Routes("videos")


class SendQuery(Parameters):
    """How a video is sent."""

    name: str | None = Field(default=None, description="Its frames are named after it; default: its hash")


class ListQuery(Parameters):
    """Which part of the list."""

    limit: Annotated[int, Field(ge=1, le=500)] = 50
    cursor: CursorText | None = None


class SentVideo(BaseModel):
    """A video that was accepted."""

    hash: Hash
    name: str = Field(description="What it was first sent as")
    location: str
    new: bool = Field(description="Whether its frames are still to be taken")


class Video(BaseModel):
    """A video. `accepted` and `finished` are Unix seconds; other times are seconds from its beginning."""

    hash: Hash
    name: str
    state: Literal["pending", "done", "failed"]
    accepted: float
    finished: float | None
    bytes: int
    seconds: float | None = Field(description="How long it is, as far as that is known")
    width: int | None
    height: int | None
    reached: float = Field(description="How far its frames have been taken")
    code: str | None = Field(
        description="What is wrong with it, for programs; not every such video has failed"
    )
    reason: str | None = Field(description="What is wrong with it, for people")


class VideoWithTimeline(Video):
    """A video, and who is seen in it, in order of first appearance."""

    frames: FrameCounts
    people: list[SeenPerson]
    ungrouped: int = Field(description="Faces that the groups process has not sorted into groups (yet)")


class VideoList(BaseModel):
    """A page of videos, newest first."""

    videos: list[Video]
    next: str | None = Field(description="Cursor of the next page; null at the end")


class FramesQuery(Parameters):
    """Which part of the list."""

    limit: Annotated[int, Field(ge=1, le=5000)] = 1000
    cursor: CursorText | None = None


class VideoFrame(BaseModel):
    """A frame that became a picture."""

    hash: Hash
    seconds: float = Field(description="When it is shown, from the beginning of the video")


class FrameList(BaseModel):
    """A page of frames, in order of time."""

    frames: list[VideoFrame]
    next: str | None = Field(description="Cursor of the next page; null at the end")


class ErasedVideo(BaseModel):
    """A receipt: what was erased."""

    hash: Hash
    name: str
    frames: int = Field(description="Pictures taken from it")
    faces: int = Field(description="Faces in them")
    original: bool = Field(description="Whether the video itself was removed from the image store")


@videos.operation(
    "POST",
    "/v1/videos",
    scope=api_key.SCAN,
    answers={202: SentVideo, 200: SentVideo},
    problems=(408, 413, 415, 501),
    body={"application/octet-stream": BINARY, "video/*": BINARY},
)
def send_video(query: SendQuery) -> Response:
    """Send a video as a raw body; the frames in which something changes become pictures.

    Answers 202, or 200 if all its frames were taken before. Needs an image store (`IMAGE_STORE_URL`).
    """
    g.about = {"name": query.name} if query.name else {}
    ingest = _parts().ingest
    request.max_content_length = None  # bounded by the use case, which says so
    accepted = ingest.accept(request.stream, query.name, request_id=g.request_id, key=g.key)
    location = f"/v1/videos/{accepted.video_id}"
    g.outcome = {"hash": accepted.video_id}
    sent = SentVideo(hash=accepted.video_id, name=accepted.name, location=location, new=accepted.new)
    response = answer(sent, HTTPStatus.ACCEPTED if accepted.new else HTTPStatus.OK)
    response.headers["Location"] = location
    return response


@videos.operation("GET", "/v1/videos", scope=api_key.READ, answers={200: VideoList})
def list_videos(query: ListQuery) -> Response:
    """List videos, newest first."""
    before = None if query.cursor is None else cursors.decode(query.cursor, float)[0]
    found = store.page(parts().redis, query.limit, before)
    shown = [Video(**_fields(video)) for video in found.videos]
    following = None if found.following is None else cursors.encode([found.following])
    return answer(VideoList(videos=shown, next=following))


@videos.operation(
    "GET", "/v1/videos/<hash>", scope=api_key.READ, answers={200: VideoWithTimeline}, problems=(404,)
)
def get_video(path: ImagePath) -> Response:
    """How far a video is, and who is seen in it when.

    Whoever turns away for less than two seconds is seen without a break. Hidden people are left out.
    """
    g.about = {"hash": path.hash}
    video = _known(path.hash)
    seen = look(parts().redis, video)
    return answer(
        VideoWithTimeline(**_fields(video), frames=seen.frames, people=seen.people, ungrouped=seen.ungrouped)
    )


@videos.operation(
    "GET", "/v1/videos/<hash>/frames", scope=api_key.READ, answers={200: FrameList}, problems=(404,)
)
def list_frames(path: ImagePath, query: FramesQuery) -> Response:
    """List the frames that became pictures; each stands for the time until the next one."""
    g.about = {"hash": path.hash}
    _known(path.hash)
    first = 0 if query.cursor is None else cursors.decode(query.cursor, int)[0]
    found = store.frames(parts().redis, path.hash, first=max(0, first), most=query.limit)
    following = cursors.encode([first + len(found)]) if len(found) == query.limit else None
    shown = [VideoFrame(hash=frame.picture_id, seconds=frame.seconds) for frame in found]
    return answer(FrameList(frames=shown, next=following))


@videos.operation(
    "DELETE", "/v1/videos/<hash>", scope=api_key.ADMIN, answers={200: ErasedVideo}, problems=(404, 501)
)
def erase_video(path: ImagePath) -> Response:
    """Erase a video with all its frames and everything made from them, and answer with a receipt."""
    g.about = {"hash": path.hash}
    with parts().erasures.held():
        erased = _parts().eraser.erase(path.hash, actor=g.key, request_id=g.request_id)
    if erased is None:
        raise NotFound("no video with this hash is known: it was never accepted, or was erased")
    g.outcome = {"frames": erased.frames, "faces": erased.faces}
    return answer(
        ErasedVideo(
            hash=path.hash,
            name=erased.name,
            frames=erased.frames,
            faces=erased.faces,
            original=erased.original,
        )
    )


def _parts() -> Videos:
    found = parts().videos
    if found is None:
        raise ProblemError("no_image_store", "videos need an image store: set IMAGE_STORE_URL")
    return found


def _known(video_id: str) -> StoredVideo:
    """What is known of a video.

    Raises:
        NotFound: nothing.
    """
    video = store.find(parts().redis, video_id)
    if video is None or video.state == "erasing":
        raise NotFound("no video with this hash is known: it was never accepted, or was erased")
    return video


def _fields(video: StoredVideo) -> dict[str, Any]:
    names = Video.model_fields.keys() - {"bytes"}
    return {"bytes": video.size, **{name: getattr(video, name) for name in names}}
