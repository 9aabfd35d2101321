"""Decoding a video with FFmpeg, by PyAV: what it is, and its frames with their times. Runs in the child alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, NoReturn

import av
from av.container import InputContainer
from av.stream import Disposition
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from PIL import Image

from faces.errors import VideoError

DEMUXERS = "mov,matroska,avi,asf,flv"  # no playlist, which would have FFmpeg open other files and addresses
MAX_RATE = 240  # frames in a second, beyond which times are not to be believed
USUAL_RATE = 25  # assumed where neither frames nor the stream tell
MAX_THREADS = 4  # each keeps frames in memory
MAX_ASPECT = 4  # pixels wider or narrower than that are nonsense in the header
TURNS = {
    90: Image.Transpose.ROTATE_90,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_270,
}  # counterclockwise, as FFmpeg tells


Frame = VideoFrame
"""A frame as FFmpeg decodes it."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a video may have at most."""

    seconds: float
    pixels: int


class Video:
    """An open video. Times are in seconds from its first frame on.

    Attributes:
        seconds: how long it is, as its header says; None if it does not.
        damaged: packets so far that could not be decoded.

    Raises:
        VideoError: it cannot be decoded, has no picture track, or is too long or too large.
    """

    def __init__(self, file: BinaryIO, bounds: Bounds) -> None:
        self._bounds = bounds
        self._container = _opened(file)
        self._stream = _picture_track(self._container)
        context = self._stream.codec_context
        context.thread_type = "AUTO"
        context.thread_count = min(MAX_THREADS, len(os.sched_getaffinity(0)))
        self._begin = _in_seconds(self._stream, self._stream.start_time) or 0.0
        self.damaged = 0
        self.seconds = self._length()
        self._check_length(self.seconds or 0.0)
        self.check_size(context.width, context.height)
        self.width, self.height = context.width, context.height

    def seek(self, time: float) -> None:
        """Go to a keyframe at or before a time, if the file has an index that tells."""
        try:
            self._container.seek(
                int((time + self._begin) / (self._stream.time_base or 1)), stream=self._stream
            )
        except av.error.FFmpegError:
            self._container.seek(0)

    def frames(self) -> Iterator[tuple[float, VideoFrame]]:
        """Frames with their times, from where the video stands. What cannot be decoded is left out.

        Raises:
            VideoError: it is longer than allowed, whatever its header says.
        """
        time = 0.0
        for number, frame in enumerate(self._decoded(), 1):
            told = _in_seconds(self._stream, frame.pts)
            time = time + 1 / float(self._stream.average_rate or USUAL_RATE) if told is None else told
            if number > self._bounds.seconds * MAX_RATE:
                self._too_long(f"more than {number:,} frames")
            self._check_length(time - self._begin)
            yield round(time - self._begin, 3), frame

    def upright(self, frame: VideoFrame) -> Image.Image:
        """A frame as it is to be shown: turned upright, with square pixels.

        Raises:
            VideoError: it has too many pixels.
        """
        self.check_size(frame.width, frame.height)
        aspect = float(self._stream.sample_aspect_ratio or 1)
        width = frame.width
        if 1 / MAX_ASPECT < aspect < MAX_ASPECT:
            width = round(width * aspect)
        self.check_size(width, frame.height)
        picture = _picture(frame.reformat(width, frame.height, "rgb24", interpolation=_EXACT), "RGB")
        turn = TURNS.get(round(frame.rotation) % 360)
        return picture if turn is None else picture.transpose(turn)

    def thumbnail(self, frame: VideoFrame, size: tuple[int, int]) -> Image.Image:
        """A frame reduced to a size, in grey, whatever its own shape.

        Raises:
            VideoError: it has too many pixels.
        """
        self.check_size(frame.width, frame.height)
        return _picture(frame.reformat(*size, "gray", interpolation="AREA"), "L")

    def check_size(self, width: int, height: int) -> None:
        """See that a frame of a size may be decoded.

        Raises:
            VideoError: it has too many pixels, or none.
        """
        if width * height > self._bounds.pixels:
            raise VideoError(
                f"its frames have {width}x{height} pixels, more than the {self._bounds.pixels:,} allowed "
                "(MAX_PICTURE_PIXELS)",
                code="too_many_pixels",
            )

    def _decoded(self) -> Iterator[VideoFrame]:
        for packet in self._packets():
            try:
                yield from packet.decode()
            except av.error.InvalidDataError:
                self.damaged += 1

    def _packets(self) -> Iterator[Any]:
        try:
            yield from self._container.demux(self._stream)
        except av.error.InvalidDataError:
            self.damaged += 1

    def _length(self) -> float | None:
        if self._container.duration:
            return float(self._container.duration / av.time_base)
        return _in_seconds(self._stream, self._stream.duration)

    def _check_length(self, seconds: float) -> None:
        if seconds > self._bounds.seconds:
            self._too_long(f"at least {seconds:,.0f} s")

    def _too_long(self, found: str) -> NoReturn:
        raise VideoError(
            f"it has {found}; at most {self._bounds.seconds:,.0f} s are allowed (MAX_VIDEO_SECONDS)",
            code="too_long",
        )


_EXACT = av.video.reformatter.Interpolation.BICUBIC | (
    av.video.reformatter.Interpolation.ACCURATE_RND | av.video.reformatter.Interpolation.BITEXACT
)  # the same pixels on every processor, so that a frame has the same hash wherever it is taken


def _opened(file: BinaryIO) -> InputContainer:
    options = {"format_whitelist": DEMUXERS}
    try:
        return av.open(file, "r", options=options, io_open=_nothing_else, metadata_errors="replace")
    except av.error.MemoryError:
        raise
    except av.error.FFmpegError as error:
        raise VideoError(f"it cannot be read as a video: {error.strerror}", code="not_a_video") from error


def _nothing_else(*_: object) -> NoReturn:
    """A video must not have other files opened."""
    raise PermissionError("a video may not refer to other files")


def _picture_track(container: InputContainer) -> VideoStream:
    tracks = [track for track in container.streams.video if not track.disposition & Disposition.attached_pic]
    if not tracks:
        raise VideoError("it has no video track, only sound or other data", code="no_video")
    known = [track for track in tracks if track.codec_context is not None and track.codec_context.width]
    if not known:
        raise VideoError("its video track uses a codec that cannot be decoded", code="not_a_video")
    return max(known, key=lambda track: track.codec_context.width * track.codec_context.height)


def _picture(frame: VideoFrame, mode: str) -> Image.Image:
    plane = frame.planes[0]  # with a few bytes behind each line
    return Image.frombytes(mode, (frame.width, frame.height), bytes(plane), "raw", mode, plane.line_size, 1)


def _in_seconds(stream: VideoStream, ticks: int | None) -> float | None:
    return None if ticks is None or stream.time_base is None else float(ticks * stream.time_base)
