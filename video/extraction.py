"""Taking frames out of a video that may be hostile: the parent's side of `video.child`."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from multiprocessing.connection import Connection
from typing import Any, BinaryIO

from faces.config import Settings, environment_without_secrets
from faces.errors import ImageStoreError, SettingError, VideoError
from faces.process import pipes
from video import wire
from video.selection import CHANGE

MEMORY = 2 << 30  # bytes of data of the child: an 8K video takes about half of that
SILENCE = 60.0  # seconds for the next frame to be decoded
TICK = 0.5  # seconds between two calls of `tick`
GOODBYE = 5.0  # seconds for a child that has closed its connection to end


@dataclass(frozen=True, slots=True)
class Limits:
    """What is taken from a video, and what it may be.

    Attributes:
        rate: frames in a second, beside new scenes.
        max_seconds: how long it may be.
        max_pixels: of a frame.
        change: grey levels by which frames have to differ (`video.selection`).
        silence: seconds for the next frame to be decoded.
        memory: bytes of data that the child may take.
    """

    rate: float
    max_seconds: float
    max_pixels: int
    change: float = CHANGE
    silence: float = SILENCE
    memory: int = MEMORY

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """The limits that the settings ask for."""
        return cls(settings.video_rate, settings.max_video_seconds, settings.max_picture_pixels)


@dataclass(frozen=True, slots=True)
class Opened:
    """The video could be opened. `seconds` is what its header says, None if nothing."""

    seconds: float | None
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Reached:
    """How far it is, in seconds."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that was taken: when it is shown, in seconds, and itself as a JPEG."""

    seconds: float
    data: bytes


@dataclass(frozen=True, slots=True)
class Ended:
    """The video has ended, and how many of its packets could not be decoded."""

    seconds: float
    damaged: int


Event = Opened | Reached | Frame | Ended


class Fault(Exception):  # noqa: N818 -- it says what happened
    """The child died of the video, or hung: trying again may help."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def check_installed() -> None:
    """See that videos can be decoded here.

    Raises:
        SettingError: the library that does it is not installed.
    """
    if find_spec("av") is None:
        raise SettingError("videos need PyAV, which is not installed: pip install 'facefleet[video]'")


def extract(
    file: BinaryIO,
    limits: Limits,
    *,
    start: float = 0.0,
    tick: Callable[[], None] = lambda: None,
) -> Iterator[Event]:
    """Take frames out of a video.

    Args:
        file: the video; it can be sought.
        limits: what is taken from it, and what it may be.
        start: time of the frame to go on with, that was taken earlier; frames before it are not taken again.
        tick: called a few times a second; what it raises ends the extraction.

    Raises:
        VideoError: it is not a video, or more than the limits allow.
        Fault: the child that decodes it died or hung.
        ImageStoreError: the file cannot be read.
    """
    size = file.seek(0, 2)
    with _child() as (connection, process):
        task = {
            "size": size,
            "rate": limits.rate,
            "change": limits.change,
            "start": start,
            "max_seconds": limits.max_seconds,
            "max_pixels": limits.max_pixels,
            "memory": limits.memory,
        }
        try:
            pipes.send(connection, task)
            yield from _events(connection, file, limits.silence, tick)
        except (EOFError, BrokenPipeError, ConnectionResetError):
            raise Fault("crash", f"the decoder ended with {_how(process)}") from None
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise Fault("crash", f"the decoder's answer is damaged ({error})") from error


def _events(
    connection: Connection, file: BinaryIO, silence: float, tick: Callable[[], None]
) -> Iterator[Event]:
    deadline = time.monotonic() + silence
    while True:
        tick()
        if not connection.poll(TICK):
            if time.monotonic() > deadline:
                raise Fault("timeout", f"no frame could be decoded within {silence:g} s")
            continue
        document = wire.receive(connection)
        if "read" in document:
            _serve(connection, file, *document["read"])
            if time.monotonic() > deadline:
                raise Fault("timeout", f"no frame could be decoded within {silence:g} s")
            continue
        event = _event(connection, document)
        yield event
        if isinstance(event, Ended):
            return
        deadline = time.monotonic() + silence


def _serve(connection: Connection, file: BinaryIO, position: int, size: int) -> None:
    try:
        file.seek(position)
        data = file.read(min(size, wire.LARGEST_READ))
    except Exception as error:  # each backend of fsspec raises errors of its own
        raise ImageStoreError(f"the video can no longer be read: {error}") from error
    connection.send_bytes(data)


def _event(connection: Connection, document: dict[str, Any]) -> Event:
    """What a document tells.

    Raises:
        VideoError: it tells why the video cannot be used.
    """
    match document:
        case {"opened": {"seconds": seconds, "width": int(width), "height": int(height)}}:
            return Opened(None if seconds is None else float(seconds), width, height)
        case {"reached": seconds}:
            return Reached(float(seconds))
        case {"frame": seconds}:
            return Frame(float(seconds), connection.recv_bytes(wire.LARGEST_FRAME))
        case {"ended": {"seconds": seconds, "damaged": int(damaged)}}:
            return Ended(float(seconds), damaged)
        case {"error": str(code), "reason": str(reason)}:
            raise VideoError(reason, code=code)
    raise ValueError("an unknown message")


@contextmanager
def _child() -> Iterator[tuple[Connection, subprocess.Popen[bytes]]]:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(  # noqa: S603 -- our own module
            [sys.executable, "-m", "video.child", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            env=environment_without_secrets(),
            stdin=subprocess.DEVNULL,
        )
    with Connection(ours.detach()) as connection:
        try:
            yield connection, process
        finally:
            process.kill()
            process.wait()


def _how(process: subprocess.Popen[bytes]) -> str:
    """Say how a process ended."""
    try:
        code = process.wait(GOODBYE)
    except subprocess.TimeoutExpired:
        return "its connection"
    try:
        return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
