"""The frames of a person's own videos, as pictures to send."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from client.errors import Refused
from client.sources import Source
from faces.errors import ImageStoreError, VideoError
from faces.formats.videos import SUFFIXES, frame_name
from video.extraction import Fault, Frame, Limits, extract


def is_video(source: Source) -> bool:
    """Tell whether a source is a video, by its suffix."""
    return source.path is not None and source.path.suffix.lower() in SUFFIXES


def with_frames(sources: Iterable[Source], limits: Limits) -> Iterator[Source]:
    """Replace each video by the frames that are taken from it; one that is unusable says so at its end."""
    for source in sources:
        if is_video(source):
            yield from _frames(source, limits)
        else:
            yield source


def _frames(source: Source, limits: Limits) -> Iterator[Source]:
    assert source.path is not None  # noqa: S101 -- it is a video
    try:
        with source.path.open("rb") as file:
            for event in extract(file, limits):
                if isinstance(event, Frame):
                    yield Source(frame_name(source.name, event.seconds), None, event.data)
    except (VideoError, Fault) as error:
        yield _unusable(source, error.code, str(error))
    except (OSError, ImageStoreError) as error:
        yield _unusable(source, "unreadable", f"cannot read the file: {error}")


def _unusable(source: Source, code: str, reason: str) -> Source:
    return Source(source.name, source.path, unusable=Refused(reason, code=code))
