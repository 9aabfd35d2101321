"""Small videos made in code, in any container, and from the sample photographs."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from PIL import Image, ImageDraw

RATE = 25
SMALL = (160, 120)
CODECS = {
    "mp4": "libx264",
    "mkv": "mpeg4",
    "mov": "mpeg4",
    "avi": "mpeg4",
    "webm": "libvpx",
    "wmv": "wmv2",
    "flv": "flv",
}
FORMATS = {"wmv": "asf", "mkv": "matroska"}
Shot = tuple[Image.Image, float]


def plain(colour: str, size: tuple[int, int] = SMALL) -> Image.Image:
    """A picture of one colour with a white corner at the top left."""
    picture = Image.new("RGB", size, colour)
    ImageDraw.Draw(picture).rectangle((0, 0, size[0] // 4, size[1] // 4), fill="white")
    return picture


def still(shots: Iterable[Shot]) -> Iterator[tuple[float, Image.Image]]:
    """Each picture for some seconds, unmoved: time and picture of every frame."""
    frames = (picture for picture, seconds in shots for _ in range(round(seconds * RATE)))
    yield from ((number / RATE, picture) for number, picture in enumerate(frames))


def panned(
    shots: Iterable[Shot], size: tuple[int, int], rate: int = RATE
) -> Iterator[tuple[float, Image.Image]]:
    """Each picture for some seconds, the camera nearing and moving to the right: what films of portraits do."""
    number = 0
    for picture, seconds in shots:
        count = round(seconds * rate)
        for at in range(count):
            yield (
                number / rate,
                picture.resize(size, Image.Resampling.BILINEAR, box=_view(picture, size, at / count)),
            )
            number += 1


def write(
    path: Path,
    frames: Iterable[tuple[float, Image.Image]],
    *,
    codec: str | None = None,
    ticks: int = 1000,
    **options: str,
) -> Path:
    """Write a video; each frame is shown at its time."""
    kind = path.suffix.removeprefix(".")
    frames = iter(frames)
    first = next(frames)
    with av.open(str(path), "w", format=FORMATS.get(kind, kind), options=options) as file:
        stream: Any = file.add_stream(codec or CODECS[kind], rate=RATE)
        stream.width, stream.height = first[1].size
        stream.pix_fmt = "yuv420p"
        stream.codec_context.time_base = Fraction(1, ticks)
        stream.codec_context.gop_size = RATE
        for time, picture in (first, *frames):
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]  # av leaves it untyped
            frame.pts, frame.time_base = round(time * ticks), Fraction(1, ticks)
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))
    return path


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


def portraits(folder: Path, names: Sequence[str], seconds: float) -> list[Shot]:
    """Sample photographs as shots."""
    return [(Image.open(folder / name).convert("RGB"), seconds) for name in names]


def _view(picture: Image.Image, size: tuple[int, int], progress: float) -> tuple[float, float, float, float]:
    """The part of a picture that is seen, of the film's shape: 70% of it at first, then all."""
    aspect = size[0] / size[1]
    width = min(picture.width, picture.height * aspect) * (0.7 + 0.3 * progress)
    height = width / aspect
    left = (picture.width - width) * progress
    top = (picture.height - height) * 0.2
    return left, top, left + width, top + height
