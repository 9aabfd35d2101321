"""What becomes of a video: its frames become pictures, as if somebody had sent them.

How far it is stands in Redis, so a job goes on where the last one was, whoever did that. An extraction that was
begun several times without taking a single frame is given up, as a picture is that stops the worker each time.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import BinaryIO

from faces.errors import ImageStoreError, Permanent, Transient
from faces.formats.videos import frame_name
from faces.image_store.videos import VideoStore
from faces.messaging.event_log import EventLog
from faces.picture_id import picture_id_of
from faces.process.retrier import Retrier
from faces.store import videos
from faces.store.client import RedisClient
from faces.store.pictures import queries
from faces.store.videos import Change, Video
from faces.usecases.ingest import Ingest
from faces.usecases.videos import VideoEraser
from video.extraction import Ended, Fault, Frame, Limits, Opened, Reached, extract
from video.metrics import Metrics

MAX_STARTS = 3  # extractions begun without a frame taken
SLICE = 600.0  # seconds at one video; RabbitMQ takes a message back that is not acknowledged for half an hour
IN_FLIGHT = (
    100  # frames that wait for workers or are with them, so that other pictures need not wait for a film
)
PAUSE = 0.2  # seconds between looks at whether there are fewer
TOLD_LENGTH = 0.9  # of the length that the header tells; a video that ends before that is cut short

log = logging.getLogger(__name__)


class Interrupted(Exception):  # noqa: N818 -- it says what happened
    """The job ends here, and another goes on with it."""


@dataclass(kw_only=True, eq=False)
class Jobs:
    """Extracts videos, one at a time."""

    redis: RedisClient
    ingest: Ingest
    video_store: VideoStore
    eraser: VideoEraser
    limits: Limits
    event_log: EventLog
    metrics: Metrics
    stopping: threading.Event
    slice: float = SLICE
    _in_flight: deque[str] = field(default_factory=deque, init=False)

    def run(self, video_id: str, tick: Callable[[], None]) -> bool:
        """Extract a video for a while; `tick` is called a few times a second, and what it raises ends the job.

        Returns:
            Whether nothing is left to do; else the video is to be queued again.

        Raises:
            Transient: a service is unavailable, and the process is stopping.
        """
        end = time.monotonic() + self.slice

        def beat() -> None:
            tick()
            if self.stopping.is_set() or time.monotonic() > end:
                raise Interrupted

        retrier = Retrier(self.stopping, beat)
        try:
            while (video := retrier.until_done(lambda: self._begin(video_id))) is not None:
                self._try(video, retrier, beat)
        except Interrupted:
            self._excuse(video_id)
            return False
        except Transient:
            self._excuse(video_id)
            raise
        return True

    def _begin(self, video_id: str) -> Video | None:
        """Count a start; None if there is nothing to do."""
        video = videos.find(self.redis, video_id)
        if video is not None and video.state == "erasing":
            self.eraser.complete(video)
            return None
        if video is not None and video.starts >= MAX_STARTS:
            reason = f"its decoder died {MAX_STARTS} times without yielding a frame"
            self._fail(video, "poison", reason)
            return None
        return videos.change(self.redis, video_id, _started)

    def _try(self, video: Video, retrier: Retrier, beat: Callable[[], None]) -> None:
        try:
            with ExitStack() as stack:
                file = retrier.until_done(lambda: stack.enter_context(self.video_store.opened(video.hash)))
                self._extract(video, file, retrier, beat)
        except ImageStoreError as error:
            log.warning("retrying video %s: %s", video.hash, error)
            self._excuse(video.hash)
            self.stopping.wait(PAUSE)
        except Fault as fault:
            self.metrics.faults.inc()
            log.warning("video %s: %s", video.hash, fault)
            code, reason = fault.code, f"{fault}, {MAX_STARTS} times in a row"
            now = retrier.until_done(lambda: videos.find(self.redis, video.hash))
            if now is not None and now.starts >= MAX_STARTS:
                retrier.until_done(lambda: self._fail(video, code, reason))
        except Permanent as error:
            code, reason = error.code, str(error)
            retrier.until_done(lambda: self._fail(video, code, reason))

    def _extract(self, video: Video, file: BinaryIO, retrier: Retrier, beat: Callable[[], None]) -> None:
        def change(to: Change) -> None:
            retrier.until_done(lambda: videos.change(self.redis, video.hash, to))

        for event in extract(file, self.limits, start=video.position, tick=beat):
            match event:
                case Opened():
                    change(partial(_opened, event))
                case Reached():
                    change(partial(_reached, event))
                case Frame():
                    if not self._take(video, event, retrier):
                        return  # it is being erased
                    self._wait_for_workers(retrier, beat)
                case Ended(seconds, damaged):
                    self._finish(video, seconds, damaged, retrier)

    def _take(self, video: Video, frame: Frame, retrier: Retrier) -> bool:
        """Make a picture of a frame; False if the video is not to be extracted any more."""
        picture_id = picture_id_of(frame.data)
        recorded = videos.Frame(frame.seconds, picture_id)
        if not retrier.until_done(lambda: videos.record(self.redis, video.hash, recorded)):
            return False
        name = frame_name(video.name, frame.seconds)
        retrier.until_done(lambda: self.ingest.accept(frame.data, name, request_id=video.request_id))
        self._in_flight.append(picture_id)
        self.metrics.frames.inc()
        return True

    def _wait_for_workers(self, retrier: Retrier, beat: Callable[[], None]) -> None:
        while len(self._in_flight) >= IN_FLIGHT:
            found = retrier.until_done(lambda: queries.still_in_flight(self.redis, list(self._in_flight)))
            self._in_flight = deque(found)
            if len(found) >= IN_FLIGHT:
                beat()
                self.stopping.wait(PAUSE)

    def _finish(self, video: Video, seconds: float, damaged: int, retrier: Retrier) -> None:
        def done(now: Video) -> Video:
            told = now.seconds or seconds
            if seconds < TOLD_LENGTH * told - 1:
                reason = f"it ends at {seconds:.1f} s of {told:.1f} s: the file is cut short"
                return replace(now, state="done", reached=seconds, code="truncated", reason=reason)
            whole = replace(now, state="done", reached=max(told, seconds), code=None, reason=None)
            if not damaged:
                return whole
            reason = f"{damaged:,} places in it cannot be decoded, and were left out"
            return replace(whole, code="damaged", reason=reason)

        retrier.until_done(lambda: self._end(video, done))

    def _fail(self, video: Video, code: str, reason: str) -> None:
        self._end(video, lambda now: replace(now, state="failed", code=code, reason=reason))

    def _end(self, video: Video, to: Change) -> None:
        ended = videos.finish(self.redis, video.hash, to)
        if ended is None:
            return
        self.metrics.videos.labels(ended.state).inc()
        about = {"code": ended.code, "reason": ended.reason} if ended.code else {}
        self.event_log.info(
            ended.state, hash=ended.hash, name=ended.name, request_id=ended.request_id, **about
        )

    def _excuse(self, video_id: str) -> None:
        """Take back the start of an extraction that ended through no fault of the video."""
        with suppress(Transient):
            videos.change(self.redis, video_id, lambda now: replace(now, starts=max(0, now.starts - 1)))


def _opened(event: Opened, video: Video) -> Video:
    return replace(video, seconds=event.seconds, width=event.width, height=event.height)


def _reached(event: Reached, video: Video) -> Video:
    return replace(video, reached=max(video.reached, event.seconds))


def _started(video: Video) -> Video | None:
    return replace(video, starts=video.starts + 1) if video.state == "pending" else None
