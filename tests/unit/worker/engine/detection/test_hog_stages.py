"""The detector's stages, each against dlib's own or against the plain definition."""

from __future__ import annotations

from typing import Any

import dlib
import numpy as np
import pytest
from numpy.typing import NDArray

from worker.engine.detection.hog.fixed import fixed
from worker.engine.detection.hog.histogram import BOUNDS, SHARES, cells_of, visible
from worker.engine.detection.hog.picture import MOST_KEPT, ROOM_BEFORE, Picture, Room, fill
from worker.engine.detection.hog.pyramid import keep_best
from worker.engine.detection.hog.resize import resize_all
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
    large = room.blank(MOST_KEPT // 10, 10, 1).data
    room.blank(8, 8, 1)
    assert not np.shares_memory(large, room.blank(8, 8, 1).data)


def test_cells_and_where_gradients_end() -> None:
    assert [cells_of(n) for n in (1, 3, 4, 11, 12, 80)] == [0, 0, 1, 1, 2, 10]
    assert [visible(n) for n in (4, 11, 12, 80, 83)] == [3, 7, 11, 79, 79]


def test_each_pixel_gives_one_vote_in_all() -> None:
    shares = SHARES.reshape(8, 8, 4)
    np.testing.assert_array_equal(shares.sum(axis=-1), 1)
    np.testing.assert_array_equal(shares[0, 0] * 256, [225, 15, 15, 1])


def test_directions_change_where_dlibs_do() -> None:
    """For every gradient that bytes can have, the bounds tell the direction that dlib's largest product does."""
    cosines = [1.0, 0.9397, 0.7660, 0.5, 0.1736, -0.1736, -0.5, -0.7660, -0.9397]
    sines = [0.0, 0.3420, 0.6428, 0.8660, 0.9848, 0.9848, 0.8660, 0.6428, 0.3420]
    x, y = (a.astype(np.float32) for a in np.meshgrid(np.arange(256), np.arange(256)))
    products = [np.float32(c) * x + np.float32(s) * y for c, s in zip(cosines, sines, strict=True)]
    passed = sum((y > x * np.float32(bound)).astype(int) for bound in BOUNDS)
    np.testing.assert_array_equal(passed, np.argmax(products, axis=0))


def test_filters_add_up_to_the_stored_weights_within_dlibs_cut() -> None:
    weights = frontal_face_weights()
    assert len(weights.filters.detector) == 305
    assert np.round(weights.thresholds, 3).tolist() == [3.274, 3.987, 3.896, 3.515, 3.558]
    dense = fixed(weights.filters).dense.reshape(DETECTORS, PLANES, WINDOW, 16)
    assert not dense[..., WINDOW:].any()
    norms = np.sqrt((dense.astype(np.float64) ** 2).sum(axis=(1, 2, 3)))
    np.testing.assert_allclose(norms, [2.486, 3.309, 3.188, 2.570, 2.573], atol=5e-4)


def test_scores_in_integers_stay_within_the_slack() -> None:
    """The promise of `fixed`, on the windows that come nearest to breaking it: features at their limits."""
    made = fixed(frontal_face_weights().filters)
    rng = np.random.default_rng(1)
    limits = np.where(np.arange(PLANES) < 27, 0.4, 0.8485)[:, None, None]
    dense = made.dense.reshape(DETECTORS, PLANES, WINDOW, 16)[..., :WINDOW].astype(np.float64)
    integers = _integer_weights(made)
    for trial in range(20):
        sign = dense[trial % DETECTORS] > 0 if trial < 10 else rng.random(dense.shape[1:]) > 0.5
        features = np.where(sign, limits, 0) * (1 if trial % 2 else rng.random(limits.shape))
        exact = (dense * features).sum(axis=(1, 2, 3))
        near = _score_in_integers(made, integers, features)
        assert np.all(np.abs(near - exact) <= made.slack)
    assert made.slack.max() < 0.05


def _integer_weights(made: Any) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    rows = made.rows.view(np.int16).reshape(-1, WINDOW).astype(np.int64)
    columns = made.columns.view(np.int16).reshape(-1, 11, 2)[:, :WINDOW, 0].astype(np.int64)
    return rows, columns[:, ::-1]


def _score_in_integers(
    made: Any, integers: tuple[NDArray[np.int64], NDArray[np.int64]], features: NDArray[np.float64]
) -> NDArray[np.float64]:
    rows, columns = integers
    plane = np.repeat(np.arange(PLANES), np.diff(made.first))
    units = np.floor(features * (1 << 15) + 0.5).astype(np.int64)
    sums = (units[plane] * rows[:, None, :]).sum(axis=-1) >> 16
    assert np.abs(sums).max() < 1 << 15
    return np.asarray(np.bincount(made.detector, (sums * columns).sum(axis=-1) / (1 << 25), DETECTORS), float)


def test_of_overlapping_boxes_the_best_is_kept() -> None:
    boxes = np.array(
        [[0, 0, 79, 79], [8, 8, 87, 87], [60, 60, 139, 139], [10, 10, 29, 29], [200, 0, 279, 79.0]]
    )
    assert keep_best(boxes, 0.33, 0.79).tolist() == [0, 2, 4]
