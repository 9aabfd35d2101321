"""The policy: what is searched by which detector, at what size, and whose boxes come back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import pytest

from worker.engine.detection.search import (
    HOG_PIXELS,
    NETWORK_PIXELS,
    SECOND_LOOK_PIXELS,
    Look,
    Search,
    auto,
    by_hog,
    by_network,
)
from worker.engine.types import Box, Detection, Pixels


@dataclass
class Finder:
    """Finds the same boxes in whatever it is given, and remembers what that was."""

    name: str = "hog"
    window: int = 80
    boxes: tuple[Box, ...] = ()
    given: list[tuple[int, int, int]] = field(default_factory=list)

    def detect(self, pixels: Pixels, upsample: int) -> list[Detection]:
        self.given.append((pixels.shape[1], pixels.shape[0], upsample))
        return [Detection(box, 1.0, self.name) for box in self.boxes]


def picture(width: int, height: int) -> Pixels:
    return np.zeros((height, width, 3), np.uint8)


BOX = Box(10, 20, 49, 59)


@pytest.mark.parametrize("size", [(1, 1), (250, 250), (1920, 1080), (1200, 1920)])
def test_by_default_up_to_two_megapixels_hog_gets_the_picture_as_the_library_gives_it(
    size: tuple[int, int],
) -> None:
    hog = Finder(boxes=(BOX,))
    search = Search(auto(40, hog=hog, cnn=Finder("cnn")))
    assert search.useful(*size) == max(size)
    assert [found.detector for found in search.find(picture(*size))] == ["hog"]
    assert hog.given == [(*size, 1)]


@pytest.mark.parametrize("width", [200, 4000])
def test_what_sticks_out_of_the_picture_is_cut_off_as_the_library_does(width: int) -> None:
    hog = Finder(boxes=(Box(-9, -5, 2000, 59),))
    [found] = Search([by_hog(40, hog)]).find(picture(width, 2400))
    assert found.box.left == found.box.top == 0
    assert found.box.right == width


def test_a_larger_picture_is_searched_at_reduced_size_and_its_boxes_are_its_own() -> None:
    hog = Finder(boxes=(BOX,))
    search = Search([by_hog(40, hog)])
    [found] = search.find(picture(3840, 2400))
    assert hog.given == [(1920, 1200, 1)]
    assert found.box == Box(20, 40, 98, 118)
    assert search.useful(3840, 2400) == 1920


def test_a_picture_decoded_at_reduced_size_is_reduced_no_further_than_the_whole_would_be() -> None:
    hog = Finder(boxes=(BOX,))
    search = Search([by_hog(40, hog)])
    [found] = search.find(picture(1920, 1200), scale=2.0)
    assert hog.given == [(1920, 1200, 1)]
    assert found.box == BOX


def test_the_cnn_looks_only_where_hog_finds_nothing() -> None:
    hog, cnn = Finder(), Finder("cnn", boxes=(BOX,))
    search = Search(auto(40, hog=hog, cnn=cnn))
    assert [d.detector for d in search.find(picture(400, 300))] == ["cnn"]
    assert cnn.given == [(400, 300, 0)]
    assert [len(f.given) for f in (hog, cnn)] == [1, 1]
    hog.boxes = (BOX,)
    assert [d.detector for d in search.find(picture(400, 300))] == ["hog"]
    assert len(cnn.given) == 1


@pytest.mark.parametrize("smallest", [10, 20, 40, 300])
@pytest.mark.parametrize("size", [(640, 480), (2400, 1800), (300, 20_000)])
@pytest.mark.parametrize(
    ("looks", "budgets"),
    [
        (lambda smallest, f: [by_hog(smallest, f)], [HOG_PIXELS]),
        (lambda smallest, f: [by_network(smallest, f)], [NETWORK_PIXELS]),
        (lambda smallest, f: auto(smallest, hog=f, cnn=f), [HOG_PIXELS, SECOND_LOOK_PIXELS]),
    ],
    ids=["hog", "network", "auto"],
)
def test_no_search_passes_its_budget(
    looks: Callable[[int, Finder], list[Look]], budgets: list[int], size: tuple[int, int], smallest: int
) -> None:
    finder = Finder()
    Search(looks(smallest, finder)).find(picture(*size))
    searched = [width * height * 4**doublings for width, height, doublings in finder.given]
    assert len(searched) == len(budgets)
    for pixels, budget in zip(searched, budgets, strict=True):
        assert pixels <= budget * 1.05  # sides are rounded


@pytest.mark.parametrize("smallest", [20, 30, 40, 60, 80, 100, 300])
def test_the_smallest_face_fills_the_window_in_what_is_searched(smallest: int) -> None:
    finder = Finder()
    Look(finder, smallest, HOG_PIXELS).find(picture(400, 400), 1.0)
    [(width, _, doublings)] = finder.given
    in_the_search = smallest * width / 400 * 2**doublings
    assert in_the_search == pytest.approx(80, rel=0.02)


def test_a_larger_smallest_face_is_cheaper_and_holds_for_larger_pictures() -> None:
    hog = Finder()
    areas = {smallest: Look(hog, smallest, HOG_PIXELS).reduction(1_000_000) for smallest in (40, 60, 160)}
    assert areas[40] == 1
    assert areas[60] == pytest.approx(2 / 3)
    assert areas[160] == 0.5
