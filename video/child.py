"""`python -m video.child FD`: takes frames out of a video that it reads by a connection. Any video may kill it."""

from __future__ import annotations

import io
import resource
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from PIL import Image

from faces.errors import VideoError
from faces.process import pipes
from video import wire
from video.decoding import Bounds, Frame, Video
from video.selection import LOOKS, ROUNDING, THUMBNAIL, Selection

QUALITY = 95  # of JPEG: no face gets lost in it, and frames are a tenth of what PNG makes of them
SAYS = 1.0  # seconds between two words on how far it is


class RemoteFile(io.RawIOBase):
    """The video, read over a connection."""

    def __init__(self, connection: Connection, size: int) -> None:
        self._connection = connection
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """The position in bytes."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a position."""
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Read at most `size` bytes; none at the end."""
        left = max(0, self._size - self._at)
        wanted = min(left, wire.LARGEST_READ, left if size < 0 else size)
        if not wanted:
            return b""
        pipes.send(self._connection, {"read": [self._at, wanted]})
        data = self._connection.recv_bytes()
        self._at += len(data)
        return data


class Child:
    """Extracts one video."""

    def __init__(self, connection: Connection, task: dict[str, Any]) -> None:
        self._connection = connection
        self._task = task
        self._bounds = Bounds(task["max_seconds"], task["max_pixels"])
        self._start: float = task["start"]
        self._said = 0.0

    def run(self) -> None:
        """Send the frames that are taken, and how it ended."""
        video = self._opened()
        self._say(opened={"seconds": video.seconds, "width": video.width, "height": video.height})
        reached = self._extract(video)
        if reached is None and self._start:  # the index led past the frame to go on from
            video = self._opened()
            reached = self._extract(video, from_beginning=True)
        if reached is None:
            raise VideoError("none of its frames can be decoded", code="damaged")
        self._say(ended={"seconds": reached, "damaged": video.damaged})

    def _opened(self) -> Video:
        file = RemoteFile(self._connection, self._task["size"])
        return Video(file, self._bounds)  # type: ignore[arg-type]  # all that FFmpeg asks of a file

    def _extract(self, video: Video, *, from_beginning: bool = False) -> float | None:
        """Send the frames; return how far they went, None if the one to start with was missed."""
        selection = Selection(self._task["rate"], start=self._start, change=self._task["change"])
        if self._start and not from_beginning:
            video.seek(self._start)
        reached: float | None = None
        for at, until, frame in _standing(video):
            if reached is None and self._start and not from_beginning and at > self._start:
                return None
            reached = at if reached is None else max(reached, at)
            self._tell(reached)
            if at < self._start - ROUNDING:
                continue
            # a frame that stands for long is still seen when the next one is due
            seen = at if until <= at + 1 / LOOKS else until
            if selection.looks(seen) and selection.takes(seen, video.thumbnail(frame, THUMBNAIL)):
                self._send(at, video.upright(frame))
        return reached

    def _send(self, at: float, picture: Image.Image) -> None:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=QUALITY)
        self._say(frame=at)
        self._connection.send_bytes(file.getvalue())

    def _tell(self, reached: float) -> None:
        now = time.monotonic()
        if now > self._said + SAYS:
            self._said = now
            self._say(reached=reached)

    def _say(self, **document: Any) -> None:
        pipes.send(self._connection, document)


def _standing(video: Video) -> Iterator[tuple[float, float, Frame]]:
    """Each frame with the times from which and until which it is shown."""
    held: tuple[float, Frame] | None = None
    for at, frame in video.frames():
        if held is not None:
            yield held[0], at, held[1]
        held = at, frame
    if held is not None:
        yield held[0], max(held[0], video.seconds or 0.0), held[1]


def main(descriptor: int) -> None:
    """Serve one task."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends it
    with suppress(EOFError, BrokenPipeError, ConnectionResetError), Connection(descriptor) as connection:
        task = wire.receive(connection)
        resource.setrlimit(resource.RLIMIT_DATA, (task["memory"], task["memory"]))
        try:
            Child(connection, task).run()
        except VideoError as error:
            pipes.send(connection, {"error": error.code, "reason": str(error)})
        except MemoryError:
            reason = f"it needs more than {task['memory'] >> 20} MiB of memory to decode"
            pipes.send(connection, {"error": "too_large", "reason": reason})
        except ConnectionError:
            raise
        except Exception as error:  # noqa: BLE001 -- whatever a hostile video provokes is its own fault
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            pipes.send(connection, {"error": "damaged", "reason": f"it cannot be decoded: {reason}"})


if __name__ == "__main__":
    main(int(sys.argv[1]))
