"""The detector against dlib's own, on pictures made here.

No picture shows a face; with thresholds lowered, texture alone gives many windows, of all sub-detectors and
sizes, and each has to come out as dlib has it.
"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import dlib
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from worker.engine.detection.hog import Detection, HogDetector

Pixels = NDArray[np.uint8]


@pytest.fixture(scope="module")
def detector() -> HogDetector:
    return HogDetector()


@pytest.fixture(scope="module")
def reference() -> Any:
    return dlib.get_frontal_face_detector()


def texture(seed: int, height: int, width: int, channels: int, grain: int) -> Pixels:
    """Return noise of which each speck is `grain` pixels large, with soft edges."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // grain + 2, width // grain + 2, channels)).astype(np.float64)
    for axis, size in ((0, height), (1, width)):
        at = np.arange(size) / grain
        left, share = np.floor(at).astype(int), (at % 1).reshape(-1, *(1,) * (2 - axis))
        coarse = np.take(coarse, left, axis) * (1 - share) + np.take(coarse, left + 1, axis) * share
    pixels = coarse.astype(np.uint8)
    return pixels if channels == 3 else np.ascontiguousarray(pixels[:, :, 0])


def assert_same(mine: list[Detection], theirs: Any) -> None:
    boxes, scores, poses = theirs
    found = [(d.left, d.top, d.right, d.bottom, d.pose) for d in mine]
    expected = [(b.left(), b.top(), b.right(), b.bottom(), p) for b, p in zip(boxes, poses, strict=True)]
    assert found == expected
    np.testing.assert_allclose([d.score for d in mine], scores, rtol=0, atol=1e-5)


@settings(max_examples=60, derandomize=True)
@given(
    seed=st.integers(0, 2**32 - 1),
    height=st.integers(1, 150),
    width=st.integers(1, 150),
    channels=st.sampled_from([1, 3]),
    grain=st.integers(1, 12),
    upsample=st.integers(0, 2),
    adjust=st.sampled_from([-2.5, -2.0, -1.5, -1.0, -0.5]),
)
def test_boxes_are_dlibs_for_any_size(
    *,
    detector: HogDetector,
    reference: Any,
    seed: int,
    height: int,
    width: int,
    channels: int,
    grain: int,
    upsample: int,
    adjust: float,
) -> None:
    pixels = texture(seed, height, width, channels, grain)
    assert_same(detector.detect(pixels, upsample, adjust), reference.run(pixels, upsample, adjust))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize(("height", "width"), [(480, 640), (333, 517), (90, 700), (700, 90)])
@pytest.mark.parametrize("grain", [3, 8])
def test_boxes_are_dlibs_on_larger_pictures(
    *, detector: HogDetector, reference: Any, height: int, width: int, channels: int, grain: int
) -> None:
    pixels = texture(height + grain, height, width, channels, grain)
    theirs = reference.run(pixels, 1, -1.5)
    assert len(theirs[0]) > 5, "the picture tests nothing"
    assert_same(detector.detect(pixels, 1, -1.5), theirs)


@pytest.mark.parametrize("width", range(150, 182))
def test_every_remainder_of_a_row_is_handled(detector: HogDetector, reference: Any, width: int) -> None:
    pixels = texture(width, 100, width, 3, 6)
    assert_same(detector.detect(pixels, 1, -2.0), reference.run(pixels, 1, -2.0))


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 3), (8, 8), (12, 12), (20, 20), (63, 64)])
@pytest.mark.parametrize("channels", [1, 3])
def test_tiny_and_thin_pictures(
    detector: HogDetector, reference: Any, size: tuple[int, int], channels: int
) -> None:
    pixels = texture(1, *size, channels, 2)
    for upsample in (0, 1, 2):
        assert_same(detector.detect(pixels, upsample, -2.0), reference.run(pixels, upsample, -2.0))


def test_gradients_that_tie_between_channels(detector: HogDetector, reference: Any) -> None:
    rng = np.random.default_rng(5)
    pixels = (rng.integers(0, 3, (120, 171, 3)) * 100).astype(np.uint8)
    assert_same(detector.detect(pixels, 0, -2.0), reference.run(pixels, 0, -2.0))
    assert_same(detector.detect(pixels, 1, -2.0), reference.run(pixels, 1, -2.0))


def test_every_window_is_found_when_the_threshold_lets_all_pass(
    detector: HogDetector, reference: Any
) -> None:
    pixels = texture(3, 110, 90, 3, 5)
    assert_same(detector.detect(pixels, 1, -100.0), reference.run(pixels, 1, -100.0))


def test_nothing_is_found_where_nothing_is(detector: HogDetector) -> None:
    assert detector.detect(np.full((200, 300, 3), 128, np.uint8)) == []
    assert detector.detect(texture(1, 200, 300, 3, 6), 1, 100.0) == []


def test_layout_in_memory_does_not_matter(detector: HogDetector, reference: Any) -> None:
    pixels = texture(9, 160, 200, 3, 6)
    expected = reference.run(pixels, 1, -1.5)
    assert len(expected[0]) > 3
    padded = np.zeros((320, 400, 3), np.uint8)
    padded[::2, ::2] = pixels
    frozen = pixels.copy()
    frozen.flags.writeable = False
    for same in (np.asfortranarray(pixels), padded[::2, ::2], frozen, pixels[:, :, ::-1].copy()[:, :, ::-1]):
        assert_same(detector.detect(same, 1, -1.5), expected)


def test_many_threads_may_share_detectors(detector: HogDetector) -> None:
    pictures = [texture(seed, 100 + seed, 130 - seed, 3, 5) for seed in range(12)]
    expected = [detector.detect(pixels, 1, -1.8) for pixels in pictures]
    assert any(expected)
    other = HogDetector()
    with ThreadPoolExecutor(4) as pool:
        jobs = [
            pool.submit((detector, other)[turn % 2].detect, pixels, 1, -1.8)
            for turn in range(3)
            for pixels in pictures
        ]
        assert [job.result() for job in jobs] == expected * 3


def test_scores_come_in_falling_order(detector: HogDetector) -> None:
    scores = [face.score for face in detector.detect(texture(2, 300, 300, 3, 7), 1, -1.5)]
    assert len(scores) > 3
    assert scores == sorted(scores, reverse=True)
    assert all(math.isfinite(score) and score >= -1.5 for score in scores)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((10, 10), np.float32),
        np.zeros((10, 10, 4), np.uint8),
        np.zeros((10,), np.uint8),
        np.zeros((0, 10, 3), np.uint8),
        np.zeros((2, 10, 10, 3), np.uint8),
    ],
)
def test_other_arrays_are_refused(detector: HogDetector, pixels: Any) -> None:
    with pytest.raises(ValueError, match="not uint8 of shape"):
        detector.detect(pixels)


def test_a_negative_upsample_is_refused(detector: HogDetector) -> None:
    with pytest.raises(ValueError, match="upsample is -1"):
        detector.detect(np.zeros((10, 10), np.uint8), upsample=-1)
