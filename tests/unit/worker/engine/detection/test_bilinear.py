import dlib
import numpy as np
import pytest

from worker.engine.detection.bilinear import doubled, resize_within

SIZES = [(1, 1), (1, 7), (2, 2), (3, 5), (4, 8), (5, 3), (17, 4), (64, 64), (101, 233), (33, 1501)]


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_doubling_is_dlibs_to_the_byte(height: int, width: int) -> None:
    pixels = np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)
    expected = dlib.resize_image(pixels, 2 * height + 1, 2 * width + 2)
    np.testing.assert_array_equal(doubled(pixels), expected)


@pytest.mark.parametrize(("height", "width"), [size for size in SIZES if min(size) > 1])
def test_planes_are_dlibs_but_for_rounding(height: int, width: int) -> None:
    rng = np.random.default_rng(height + width)
    canvas = rng.uniform(-0.5, 0.5, (2, 2 * height + 3, width + 4)).astype(np.float32)
    before = canvas.copy()
    small_height, small_width = height * 5 // 6, width * 5 // 6
    resize_within(canvas, (3, 1, width, height), (2, height + 2, small_width, small_height))
    for plane, old in zip(canvas, before, strict=True):
        source = np.ascontiguousarray(old[1 : 1 + height, 3 : 3 + width])
        expected = dlib.resize_image(source, small_height, small_width)
        made = plane[height + 2 : height + 2 + small_height, 2 : 2 + small_width]
        np.testing.assert_allclose(made, expected, rtol=0, atol=1e-6)
        made[...] = old[height + 2 : height + 2 + small_height, 2 : 2 + small_width]
    np.testing.assert_array_equal(canvas, before)
