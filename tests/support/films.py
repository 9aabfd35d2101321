"""Small videos made in code; `benchmarks.material.films` writes them."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import av
from PIL import Image, ImageDraw

from benchmarks.material.films import RATE, Shot

SMALL = (160, 120)


def plain(colour: str, size: tuple[int, int] = SMALL) -> Image.Image:
    """A picture of one colour with a white corner at the top left."""
    picture = Image.new("RGB", size, colour)
    ImageDraw.Draw(picture).rectangle((0, 0, size[0] // 4, size[1] // 4), fill="white")
    return picture


def still(shots: Iterable[Shot]) -> Iterator[tuple[float, Image.Image]]:
    """Each picture for some seconds, unmoved: time and picture of every frame."""
    frames = (picture for picture, seconds in shots for _ in range(round(seconds * RATE)))
    yield from ((number / RATE, picture) for number, picture in enumerate(frames))


def turned(video: bytes) -> bytes:
    """An MP4 whose header has it turned by a quarter, clockwise, as telephones that are held upright do."""
    upright = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    quarter = struct.pack(">9i", 0, 1 << 16, 0, -(1 << 16), 0, 0, 0, 0, 1 << 30)
    track = video.index(b"tkhd")
    at = video.index(upright, track)
    return video[:at] + quarter + video[at + len(upright) :]


def sound(path: Path) -> Path:
    """A file without pictures."""
    with av.open(str(path), "w") as file:
        stream: Any = file.add_stream("aac", rate=8000)
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        frame.sample_rate = 8000
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path
