"""Films made from photographs."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

RATE = 25
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
"""A picture, and for how many seconds it is shown."""


def portraits(folder: Path, names: Sequence[str], seconds: float) -> list[Shot]:
    """Photographs as shots."""
    return [(Image.open(folder / name).convert("RGB"), seconds) for name in names]


def panned(
    shots: Iterable[Shot], size: tuple[int, int], rate: int = RATE
) -> Iterator[tuple[float, Image.Image]]:
    """Time and picture of every frame; in each shot the camera moves back and to the right."""
    number = 0
    for picture, seconds in shots:
        count = round(seconds * rate)
        for at in range(count):
            view = _view(picture, size, at / count)
            yield number / rate, picture.resize(size, Image.Resampling.BILINEAR, box=view)
            number += 1


def unmoved(shots: Iterable[Shot], size: tuple[int, int]) -> Iterator[tuple[float, Image.Image]]:
    """The same with a camera that stands still."""
    number = 0
    for picture, seconds in shots:
        frame = picture.resize(size, Image.Resampling.BILINEAR, box=_view(picture, size, 0.5))
        for _ in range(round(seconds * RATE)):
            yield number / RATE, frame
            number += 1


def held(shots: Iterable[Shot], size: tuple[int, int]) -> Iterator[tuple[float, Image.Image]]:
    """The same with a camera in somebody's hand: it sways by two pixels, and its sensor is noisy."""
    chance = np.random.default_rng(0)
    margin = 8  # pixels, of which the swaying shows some
    wide = (size[0] + margin, size[1] + margin)
    for time, picture in unmoved(shots, wide):
        left, top = (round(margin / 2 + 2 * math.sin(speed * time)) for speed in (4, 5))
        part = np.asarray(picture.crop((left, top, left + size[0], top + size[1])), np.float32)
        noise = chance.normal(0, 4, (size[1], size[0], 1))
        yield time, Image.fromarray((part + noise).clip(0, 255).astype(np.uint8))


def write(
    path: Path,
    frames: Iterable[tuple[float, Image.Image]],
    *,
    codec: str | None = None,
    ticks: int = 1000,
    **options: str,
) -> Path:
    """Write a video of the kind that its suffix says; each frame is shown at its time, in seconds."""
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


def _view(picture: Image.Image, size: tuple[int, int], progress: float) -> tuple[float, float, float, float]:
    """The part of a picture that is seen, of the film's shape: 70% of it at first, then all."""
    aspect = size[0] / size[1]
    width = min(picture.width, picture.height * aspect) * (0.7 + 0.3 * progress)
    height = width / aspect
    left = (picture.width - width) * progress
    top = (picture.height - height) * 0.05
    return left, top, left + width, top + height
