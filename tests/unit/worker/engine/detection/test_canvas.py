from itertools import combinations, pairwise

import numpy as np
import pytest

from worker.engine.conversion.networks import CHANNEL_MEANS
from worker.engine.detection.canvas import GAP, MARGIN, MIN_CANVAS, STRIDE, Tile, layout, paint, to_picture

SIZES = [
    (1, 1),
    (4, 900),
    (5, 5),
    (7, 300),
    (90, 60),
    (250, 250),
    (480, 853),
    (853, 480),
    (1000, 13),
    (13, 1000),
]


def apart(one: Tile, other: Tile) -> bool:
    return (
        one.left + one.width <= other.left
        or other.left + other.width <= one.left
        or one.top + one.height <= other.top
        or other.top + other.height <= one.top
    )


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_tiles_lie_apart_within_the_canvas(height: int, width: int) -> None:
    plan = layout(height, width)
    assert plan.tiles[0] == Tile(MARGIN, MARGIN, width, height)
    for tile in plan.tiles:
        assert min(tile.left, tile.top) >= MARGIN
        assert tile.left + tile.width <= plan.width
        assert tile.top + tile.height <= plan.height
    assert all(apart(one, other) for one, other in combinations(plan.tiles, 2))


def test_each_tile_is_five_sixths_of_the_one_before() -> None:
    tiles = layout(480, 853).tiles
    sizes = [(tile.height, tile.width) for tile in tiles]
    assert sizes[:4] == [(480, 853), (400, 710), (333, 591), (277, 492)]
    assert all(b == (a[0] * 5 // 6, a[1] * 5 // 6) for a, b in pairwise(sizes))


@pytest.mark.parametrize(("height", "width"), [(178, 110), (327, 523), (272, 1405)])
def test_levels_that_reach_the_first_tile_are_left_out(height: int, width: int) -> None:
    tiles = layout(height, width).tiles
    assert all(apart(tiles[0], tile) for tile in tiles[1:])
    assert tiles[-1].height * 5 // 6 >= 5  # dlib's pyramid goes on to a height of 5


def test_the_second_column_goes_up_at_the_right() -> None:
    tiles = layout(480, 853).tiles
    column = [tile for tile in tiles if tile.left == MARGIN]
    beside = tiles[len(column) :]
    assert beside
    assert all(tile.left + tile.width == MARGIN + 853 for tile in beside)
    bottoms = [tile.top + tile.height for tile in beside]
    assert bottoms[0] == column[-1].top + column[-1].height
    assert bottoms[1:] == [tile.top - GAP for tile in beside[:-1]]


@pytest.mark.parametrize("size", range(40, 60))
def test_the_canvas_ends_with_a_whole_stride(size: int) -> None:
    plan = layout(size, size)
    assert (plan.width - MIN_CANVAS) % STRIDE == 0
    assert size + 2 * MARGIN - STRIDE < plan.width <= size + 2 * MARGIN


def test_a_canvas_holds_normalised_tiles_on_the_mean_colour() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (61, 47, 3), np.uint8)
    plan = layout(61, 47)
    canvas = paint(pixels, plan)
    assert canvas.dtype == np.float32
    assert canvas.shape == (3, plan.height, plan.width)
    first = canvas[:, MARGIN : MARGIN + 61, MARGIN : MARGIN + 47].transpose(1, 2, 0)
    np.testing.assert_allclose(first, (pixels - np.array(CHANNEL_MEANS)) / 256, rtol=0, atol=1e-6)
    for tile in plan.tiles:
        part = canvas[:, tile.top : tile.top + tile.height, tile.left : tile.left + tile.width]
        assert (part != 0).any()
        part[...] = 0
    assert not canvas.any()


def test_a_flat_picture_is_flat_in_all_sizes() -> None:
    plan = layout(200, 150)
    canvas = paint(np.full((200, 150, 3), 77, np.uint8), plan)
    expected = (77 - np.array(CHANNEL_MEANS)) / 256
    for tile in plan.tiles:
        part = canvas[:, tile.top : tile.top + tile.height, tile.left : tile.left + tile.width]
        np.testing.assert_allclose(part, np.broadcast_to(expected[:, None, None], part.shape), atol=1e-5)


def test_a_window_of_each_tile_comes_back_to_the_picture() -> None:
    plan = layout(480, 853)
    centres = np.array([(tile.left + tile.width // 2, tile.top + tile.height // 2) for tile in plan.tiles])
    corners = np.concatenate([centres - 39.5, centres + 39.5], axis=1)
    boxes = to_picture(plan, centres, corners)
    for level, (left, top, right, bottom) in enumerate(boxes):
        assert right - left == pytest.approx(79 * 1.2**level)
        assert (left + right) / 2 == pytest.approx(853 / 2, abs=2 * 1.2**level + 2)
        assert (top + bottom) / 2 == pytest.approx(480 / 2, abs=2 * 1.2**level + 2)


def test_a_window_between_tiles_belongs_to_the_nearest() -> None:
    plan = layout(100, 100)
    second = plan.tiles[1]
    centres = np.array([[MARGIN + 20, MARGIN + 100 + 2], [MARGIN + 20, second.top - 2]])
    corners = np.concatenate([centres - 39.5, centres + 39.5], axis=1)
    widths = np.diff(to_picture(plan, centres, corners)[:, [0, 2]])[:, 0]
    np.testing.assert_allclose(widths, [79, 79 * 1.2])
