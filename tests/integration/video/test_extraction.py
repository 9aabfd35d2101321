"""Frames of videos of every kind, through the child."""

from __future__ import annotations

import io
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from benchmarks.material.films import CODECS, write
from faces.errors import ImageStoreError, VideoError
from faces.formats.videos import HEAD, is_video
from tests.support.films import SMALL, plain, sound, still, turned
from tests.support.processes.family import children
from video.extraction import Ended, Event, Fault, Frame, Limits, Opened, extract

LIMITS = Limits(rate=2, max_seconds=60, max_pixels=1_000_000)
SHOTS = [(plain("black"), 1.0), (plain("lime"), 1.0), (plain("navy"), 1.0)]


def events(path: Path, limits: Limits = LIMITS, start: float = 0.0) -> list[Event]:
    with path.open("rb") as file:
        return list(extract(file, limits, start=start))


def frames(found: list[Event]) -> list[Frame]:
    return [event for event in found if isinstance(event, Frame)]


def picture(frame: Frame) -> Image.Image:
    return Image.open(io.BytesIO(frame.data))


def colour(frame: Frame, x: float = 0.6, y: float = 0.6) -> tuple[int, ...]:
    """The colour of a frame at a place, each channel nothing, half or all."""
    found = picture(frame)
    value = found.getpixel((int(found.width * x), int(found.height * y)))
    assert isinstance(value, tuple)
    return tuple(round(channel / 127.5) for channel in value)


@pytest.mark.parametrize("kind", CODECS)
def test_every_kind_is_read(kind: str, tmp_path: Path) -> None:
    path = write(tmp_path / f"film.{kind}", still(SHOTS))
    assert is_video(path.read_bytes()[:HEAD])
    first, *_, last = found = events(path)
    assert isinstance(first, Opened)
    assert (first.width, first.height) == SMALL
    assert first.seconds == pytest.approx(3, abs=0.1)
    assert isinstance(last, Ended)
    assert last.damaged == 0
    assert [colour(frame) for frame in frames(found)] == [(0, 0, 0), (0, 2, 0), (0, 0, 1)]
    assert [frame.seconds for frame in frames(found)] == pytest.approx([0, 1, 2], abs=0.2)


def test_it_goes_on_where_it_was_and_takes_the_same(tmp_path: Path) -> None:
    def moving() -> Iterator[tuple[float, Image.Image]]:
        for number in range(150):
            yield number / 25, plain("navy").rotate(number * 7)

    for kind in ("mp4", "flv"):
        path = write(tmp_path / f"film.{kind}", moving())
        whole = frames(events(path))
        assert len(whole) > 10
        for frame in whole[1::4]:
            assert frames(events(path, start=frame.seconds)) == [
                f for f in whole if f.seconds >= frame.seconds
            ]


def test_a_video_that_is_turned_is_taken_upright(tmp_path: Path) -> None:
    path = write(tmp_path / "film.mp4", still(SHOTS[:1]))
    path.write_bytes(turned(path.read_bytes()))
    (frame,) = frames(events(path))
    assert picture(frame).size == SMALL[::-1]
    assert colour(frame, 0.9, 0.1) == (2, 2, 2), "the corner at the top left is now at the right"
    assert colour(frame, 0.1, 0.1) == (0, 0, 0)


def test_frames_at_uneven_times_keep_them(tmp_path: Path) -> None:
    colours = {0.0: "black", 0.1: "lime", 3.5: "navy", 3.6: "red", 30.0: "white"}
    path = write(tmp_path / "film.mkv", ((time, plain(name)) for time, name in colours.items()))
    found = [frame.seconds for frame in frames(events(path))]
    assert found == [0.0, 0.1, 3.6], "what is shown for a tenth of a second only may be missed"


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no video track") as caught:
        events(sound(tmp_path / "song.mp4"))
    assert caught.value.code == "no_video"


@pytest.mark.parametrize(
    ("limits", "code"),
    [
        (Limits(rate=2, max_seconds=2.5, max_pixels=1_000_000), "too_long"),
        (Limits(rate=2, max_seconds=60, max_pixels=160 * 120 - 1), "too_many_pixels"),
    ],
)
def test_limits_are_kept(limits: Limits, code: str, tmp_path: Path) -> None:
    with pytest.raises(VideoError) as caught:
        events(write(tmp_path / "film.mp4", still(SHOTS)), limits)
    assert caught.value.code == code


def test_a_child_without_memory_says_so(tmp_path: Path) -> None:
    path = write(tmp_path / "film.mkv", still([(plain("black", (3000, 2000)), 0.2)]))
    limits = Limits(rate=2, max_seconds=60, max_pixels=10_000_000, memory=60 << 20)
    with pytest.raises(VideoError, match="memory") as caught:
        events(path, limits)
    assert caught.value.code == "too_large"


def test_a_child_that_dies_is_a_fault(tmp_path: Path) -> None:
    others = set(children(os.getpid()))  # such as the tests' Redis

    def kill() -> None:
        for child in set(children(os.getpid())) - others:
            os.kill(child, signal.SIGKILL)

    with (
        write(tmp_path / "film.mkv", still(SHOTS)).open("rb") as file,
        pytest.raises(Fault, match="SIGKILL") as caught,
    ):
        list(extract(file, LIMITS, tick=kill))
    assert caught.value.code == "crash"


def test_a_file_that_cannot_be_read_is_no_fault_of_the_video(tmp_path: Path) -> None:
    file = BreakingFile(write(tmp_path / "film.mkv", still(SHOTS)).read_bytes())
    with pytest.raises(ImageStoreError):
        list(extract(file, LIMITS))


def test_a_child_that_does_not_come_forward_is_ended(tmp_path: Path) -> None:
    path = write(tmp_path / "film.mkv", still(SHOTS))
    with pytest.raises(Fault) as caught:
        events(path, Limits(rate=2, max_seconds=60, max_pixels=1_000_000, silence=0.0))
    assert caught.value.code == "timeout"


def test_what_the_tick_raises_ends_it(tmp_path: Path) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), write(tmp_path / "film.mp4", still(SHOTS)).open("rb") as file:
        list(extract(file, LIMITS, tick=stop))


class BreakingFile(io.BytesIO):
    """Cannot be read."""

    def read(self, _: int | None = -1) -> bytes:
        raise ConnectionResetError
