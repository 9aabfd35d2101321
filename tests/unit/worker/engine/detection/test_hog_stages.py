"""The detector's stages, each against dlib's own or against the plain definition."""

from __future__ import annotations

from typing import Any

import dlib
import numpy as np
import pytest
from numba import njit
from numpy.typing import NDArray

from worker.engine.detection.hog.filters import (
    POSES,
    TILES,
    VALID,
    exact_score,
    multiply_tiles,
    score_row,
    tiles,
    turn_back,
)
from worker.engine.detection.hog.fourier import SIDE, along, back_along, from_spectrum, to_spectrum
from worker.engine.detection.hog.gradients import PIECE, grey_gradients
from worker.engine.detection.hog.histogram import SHARES, cells_of, visible
from worker.engine.detection.hog.picture import MAX_KEPT, ROOM_BEFORE, Picture, Room, fill
from worker.engine.detection.hog.pyramid import keep_best
from worker.engine.detection.hog.resize import resize_all
from worker.engine.detection.hog.spectra import DEPTH, spectra
from worker.engine.detection.hog.weights import DETECTORS, PLANES, WINDOW, frontal_face_weights


def pixels_of(picture: Picture) -> NDArray[np.uint8]:
    planes = picture.data.reshape(picture.channels, picture.height, picture.stride)
    return np.moveaxis(planes[:, :, ROOM_BEFORE : ROOM_BEFORE + picture.width], 0, -1)


def pictures(height: int, width: int, channels: int) -> list[NDArray[np.uint8]]:
    """Return noise, one flat colour (where rounding decides), and blocks."""
    rng = np.random.default_rng(height * 1000 + width)
    noise = rng.integers(0, 256, (height, width, channels), dtype=np.uint8)
    flat = np.broadcast_to(noise[:1, :1], noise.shape).copy()
    blocks = noise[::8, ::8].repeat(8, 0).repeat(8, 1)[:height, :width].copy()
    return [noise, flat, blocks]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (2, 7), (61, 60), (100, 133), (241, 320), (77, 517)])
def test_resize_is_dlibs_to_the_last_bit(height: int, width: int, channels: int) -> None:
    sizes = [(2 * height + 1, 2 * width + 2)]
    if min(height, width) >= 60:
        sizes.append((5 * height // 6, 5 * width // 6))
    for pixels in pictures(height, width, channels):
        for new_height, new_width in sizes:
            room = Room()
            given, made = room.blank(width, height, channels), room.blank(new_width, new_height, channels)
            fill(given, pixels)
            resize_all(given, made)
            source = pixels if channels == 3 else pixels[:, :, 0].copy()
            expected = dlib.resize_image(source, new_height, new_width)
            np.testing.assert_array_equal(pixels_of(made), expected.reshape(new_height, new_width, channels))


def test_memory_of_pictures_is_used_again_but_not_if_very_large() -> None:
    room = Room()
    first, second, third = (room.blank(100, size, 3).data for size in (80, 60, 40))
    assert np.shares_memory(first, third)
    assert not np.shares_memory(second, third)
    large = room.blank(MAX_KEPT // 10, 10, 1).data
    room.blank(8, 8, 1)
    assert not np.shares_memory(large, room.blank(8, 8, 1).data)


def test_cells_and_where_gradients_end() -> None:
    assert [cells_of(n) for n in (1, 3, 4, 11, 12, 80)] == [0, 0, 1, 1, 2, 10]
    assert [visible(n) for n in (4, 11, 12, 80, 83)] == [3, 7, 11, 79, 79]


def test_each_pixel_gives_one_vote_in_all() -> None:
    shares = SHARES.reshape(8, 8, 4)
    np.testing.assert_array_equal(shares.sum(axis=-1), 1)
    np.testing.assert_array_equal(shares[0, 0] * 256, [225, 15, 15, 1])


def test_every_gradient_has_dlibs_direction_and_length() -> None:
    """For every gradient that bytes can have: the direction of dlib's largest product, the first of equal ones."""
    x, y = (a.ravel() for a in np.meshgrid(np.arange(-255, 256), np.arange(-255, 256)))
    count = len(x) // PIECE * PIECE
    around = [np.maximum(part, 0)[:count] for part in (-x, x, -y, y)]
    data = np.zeros((3, 4 * count + PIECE), np.uint8)
    for (row, column), values in zip([(1, 0), (1, 2), (0, 1), (2, 1)], around, strict=True):
        data[row, column : 4 * count + column : 4] = values
    direction, length = np.zeros(data.shape[1], np.int16), np.zeros(data.shape[1], np.float32)
    for at in range(0, 4 * count, PIECE):
        start = data.shape[1] + at + 1
        grey_gradients(data.ravel(), start, data.shape[1], 1, direction, length, at)
    cosines = np.array([1.0, 0.9397, 0.7660, 0.5, 0.1736, -0.1736, -0.5, -0.7660, -0.9397], np.float32)
    sines = np.array([0.0, 0.3420, 0.6428, 0.8660, 0.9848, 0.9848, 0.8660, 0.6428, 0.3420], np.float32)
    products = cosines[:, None] * x[:count].astype(np.float32) + sines[:, None] * y[:count].astype(np.float32)
    best = np.abs(products).argmax(axis=0)
    expected = best + 9 * (np.take_along_axis(products, best[None], 0)[0] < 0)
    some = (x[:count] != 0) | (y[:count] != 0)
    np.testing.assert_array_equal(direction[: 4 * count : 4][some], expected[some])
    squares = (x.astype(np.float32) ** 2 + y.astype(np.float32) ** 2)[:count]
    np.testing.assert_array_equal(length[: 4 * count : 4], np.sqrt(squares))


def test_filters_add_up_to_the_stored_weights_within_dlibs_cut() -> None:
    weights = frontal_face_weights()
    assert len(weights.filters.detector) == 305
    assert np.round(weights.thresholds, 3).tolist() == [3.274, 3.987, 3.896, 3.515, 3.558]
    dense = spectra(weights.filters).dense.reshape(DETECTORS, WINDOW, WINDOW, DEPTH)
    assert not dense[..., PLANES:].any()
    norms = np.sqrt((dense.astype(np.float64) ** 2).sum(axis=(1, 2, 3)))
    np.testing.assert_allclose(norms, [2.486, 3.309, 3.188, 2.570, 2.573], atol=5e-4)


@njit
def transformed(  # noqa: PLR0917 - kernels take no keywords
    numbers: Any, half: Any, back: Any, real: Any, whole: Any, around: Any
) -> None:
    """Run all four transforms of numbers of eight lanes, each there and back."""
    to_spectrum(numbers, 0, 8, 0, half, 0, 16, 8, 8)
    from_spectrum(half, 0, 16, 8, real, 0, 8, 0, 8)
    along(back, 0, 16, 8, whole, 0, 16, 8, 8)
    back_along(whole, 0, 16, 8, around, 0, 16, 8, 8)


def test_transforms_are_fouriers() -> None:
    rng = np.random.default_rng(2)
    numbers = rng.normal(size=(SIDE, 8)).astype(np.float32)
    given = rng.normal(size=(SIDE, 2, 8)).astype(np.float32)
    half, real = np.zeros((SIDE // 2 + 1, 2, 8), np.float32), np.zeros_like(numbers)
    whole, around = np.zeros_like(given), np.zeros_like(given)
    transformed(*(a.reshape(-1) for a in (numbers, half, given, real, whole, around)))
    np.testing.assert_allclose(half[:, 0] + 1j * half[:, 1], np.fft.rfft(numbers, axis=0), atol=1e-5)
    np.testing.assert_allclose(real / SIDE, numbers, atol=1e-5)
    expected = np.fft.fft(given[:, 0] + 1j * given[:, 1], axis=0)
    np.testing.assert_allclose(whole[:, 0] + 1j * whole[:, 1], expected, atol=1e-5)
    np.testing.assert_allclose(around / SIDE, given, atol=1e-5)


@pytest.mark.parametrize("first", [0, 23])
def test_scores_by_transforms_stay_within_the_slack(first: int) -> None:
    """The promise of `spectra`, on the tiles that come nearest to breaking it: features at their limits."""
    made, room, tile = spectra(frontal_face_weights().filters), tiles(), TILES - 1
    dense = made.dense.reshape(DETECTORS, WINDOW, WINDOW, DEPTH).astype(np.float64)
    limits = np.where(np.arange(DEPTH) < 27, 0.4, 0.8485) * (np.arange(DEPTH) < PLANES)
    rng = np.random.default_rng(1)
    cells = np.zeros((SIDE, tile * VALID + SIDE, DEPTH), np.float32)
    for trial in range(4):
        features = limits * (rng.random(cells.shape) if trial % 2 else rng.random(cells.shape) > 0.5)
        if trial > 1:
            features[:WINDOW, :WINDOW] = limits * (dense[trial] > 0)
        cells[:] = np.roll(features, first, axis=0)
        multiply_tiles(cells.ravel(), 0, cells[0].size, TILES, made, room)
        turn_back(room, tile)
        windows = np.lib.stride_tricks.sliding_window_view(
            cells_of_tile(features, tile), (WINDOW, WINDOW), (0, 1)
        )
        exact = np.einsum("yxpij,dijp->yxd", windows, dense)
        for y in range(VALID):
            score_row(room, (first + y) % SIDE)
            near = room.scores.reshape(SIDE, POSES)[:VALID, :DETECTORS]
            assert np.all(np.abs(near - exact[y]) <= made.slack)
            assert exact_score(
                cells.ravel(), first + y, tile * VALID, cells[0].size, made.dense, 0
            ) == pytest.approx(exact[y, 0, 0], abs=1e-4)
    assert made.slack.max() < 0.05


def cells_of_tile(features: NDArray[np.float64], tile: int) -> NDArray[np.float64]:
    return features[:, tile * VALID : tile * VALID + SIDE]


def test_of_overlapping_boxes_the_best_is_kept() -> None:
    boxes = np.array(
        [[0, 0, 79, 79], [8, 8, 87, 87], [60, 60, 139, 139], [10, 10, 29, 29], [200, 0, 279, 79.0]]
    )
    assert keep_best(boxes, 0.33, 0.79).tolist() == [0, 2, 4]
