"""Which frames are taken."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from video.selection import THUMBNAIL, Selection

FPS = 25


def grey(level: int) -> Image.Image:
    return Image.new("L", THUMBNAIL, level)


def taken(
    picture_at: Callable[[float], Image.Image], seconds: float, start: float = 0.0, rate: float = 2.0
) -> list[float]:
    selection = Selection(rate, start=start)
    times = [number / FPS for number in range(round(seconds * FPS))]
    return [time for time in times if selection.looks(time) and selection.takes(time, picture_at(time))]


def test_what_does_not_change_is_taken_once() -> None:
    assert taken(lambda _: grey(100), 10) == [0.0]


def test_noise_is_no_change() -> None:
    assert taken(lambda time: grey(100 + round(time * FPS) % 5), 10) == [0.0]


def test_what_changes_all_the_time_is_taken_at_the_rate() -> None:
    found = taken(lambda time: grey(int(time * 30)), 4)
    assert found == [0.0, 0.52, 1.04, 1.56, 2.08, 2.6, 3.12, 3.64]


def test_a_new_scene_is_taken_at_once() -> None:
    found = taken(lambda time: grey(200 if time > 0.2 else 20), 3)
    assert len(found) == 2
    assert 0.2 < found[1] < 0.4


def test_a_small_thing_that_appears_is_taken() -> None:
    small = grey(100)
    ImageDraw.Draw(small).point((7, 9), 130)
    found = taken(lambda time: small if time > 2 else grey(100), 4)
    assert len(found) == 2
    assert 2 < found[1] < 2.2


@given(st.lists(st.integers(0, 255), min_size=20, max_size=60), st.data())
def test_an_extraction_goes_on_from_any_frame_it_took(levels: list[int], data: st.DataObject) -> None:
    def at(time: float) -> Image.Image:
        return grey(levels[int(time * 10)])

    seconds = len(levels) / 10
    whole = taken(at, seconds)
    start = data.draw(st.sampled_from(whole))
    assert taken(at, seconds, start) == [time for time in whole if time >= start]
