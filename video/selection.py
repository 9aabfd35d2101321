"""Which frames of a video are taken: a pure function of their times and of how much they differ.

A frame is taken when it begins a new scene, or when some time has passed since the last one taken and any part of
the picture has changed visibly. The state after a frame was taken follows from that frame alone, so an extraction
that was interrupted goes on from it and takes the same frames.
"""

from __future__ import annotations

from PIL import Image, ImageChops, ImageStat

THUMBNAIL = (64, 36)  # cells, grey; of 1080p a cell is 30x30 pixels, less than the smallest face
LOOKS = 8  # frames looked at in a second of video
CHANGE = 12.0  # grey levels of 255 by which at least one cell has to differ; noise averaged over a cell stays below
SCENE = 40.0  # grey levels by which cells differ on average between two looks when the scene changes
ROUNDING = 0.0005  # seconds; times are given in milliseconds


class Selection:
    """Selects frames in order of time. `rate` is how many to take in a second at most, beside new scenes."""

    def __init__(self, rate: float, *, start: float = 0.0, change: float = CHANGE) -> None:
        self._interval = 1 / rate
        self._start = start
        self._change = change
        self._taken: tuple[float, Image.Image] | None = None
        self._seen: tuple[float, Image.Image] | None = None

    def looks(self, time: float) -> bool:
        """Tell whether to look at the frame at a time, in seconds."""
        if self._taken is None or self._seen is None:
            return time >= self._start - ROUNDING
        next_look = self._seen[0] + 1 / LOOKS
        due = self._taken[0] + self._interval
        return time >= (min(next_look, due) if self._seen[0] < due - ROUNDING else next_look) - ROUNDING

    def takes(self, time: float, thumbnail: Image.Image) -> bool:
        """Tell whether to take the frame that was looked at, reduced to `THUMBNAIL` in grey."""
        wanted = self._wanted(time, thumbnail)
        self._seen = (time, thumbnail)
        if wanted:
            self._taken = self._seen
        return wanted

    def _wanted(self, time: float, thumbnail: Image.Image) -> bool:
        if self._taken is None or self._seen is None:
            return True
        if mean_difference(self._seen[1], thumbnail) >= SCENE:
            return True
        due = time >= self._taken[0] + self._interval - ROUNDING
        return due and largest_difference(self._taken[1], thumbnail) >= self._change


def largest_difference(one: Image.Image, other: Image.Image) -> float:
    """Grey levels by which the cell that differs most does."""
    extrema: tuple[tuple[float, float], ...] | tuple[float, float] = ImageChops.difference(
        one, other
    ).getextrema()
    return float(extrema[1])  # type: ignore[arg-type]  # a pair, as the picture has one band


def mean_difference(one: Image.Image, other: Image.Image) -> float:
    """Grey levels by which cells differ on average."""
    return float(ImageStat.Stat(ImageChops.difference(one, other)).mean[0])
