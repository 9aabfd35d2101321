"""Each layer in our kernels against the same in ONNX Runtime or plain NumPy."""

# ruff: noqa: PLR0917 -- Hypothesis gives a test each drawn value by name

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.lib.stride_tricks import sliding_window_view
from numpy.testing import assert_allclose, assert_array_equal
from numpy.typing import NDArray

from worker.engine import models
from worker.engine.encoder import self_test_chip
from worker.engine.runtime.convolution.detector import MmodDetector
from worker.engine.runtime.convolution.filters import Bank
from worker.engine.runtime.convolution.program import Maps, Program, convolution, largest, mean
from worker.engine.runtime.convolution.resnet import ResNet
from worker.engine.runtime.selection import OnnxRuntime

Floats = NDArray[np.float32]


def correlated(x: Floats, weights: Floats, bias: Floats, stride: int, padding: int) -> NDArray[np.float64]:
    """Return the convolution of (count, height, width, channels) in float64."""
    whole = np.pad(x.astype(np.float64), ((0, 0), (padding, padding), (padding, padding), (0, 0)))
    windows = sliding_window_view(whole, weights.shape[2:], axis=(1, 2))[:, ::stride, ::stride]
    sums: NDArray[np.float64] = np.einsum("nyxcij,fcij->nyxf", windows, weights.astype(np.float64))
    return sums + bias


def filled(program: Program, maps: Maps, count: int, seed: int) -> Floats:
    values = np.random.default_rng(seed).normal(size=program.maps(maps, count).shape)
    program.maps(maps, count)[:] = values
    return program.maps(maps, count).copy()


def border(program: Program, maps: Maps, count: int) -> float:
    """Return the sum of what lies in a border, after the maps themselves were set to zero."""
    program.maps(maps, count)[:] = 0
    return float(np.abs(program.whole(maps, count)).sum())


@settings(max_examples=40)
@given(
    filtering=st.sampled_from([(2, 3, 1), (4, 3, 1), (6, 3, 1), (2, 5, 1), (4, 5, 1), (4, 5, 2), (2, 5, 2)]),
    height=st.integers(1, 23),
    width=st.integers(1, 23),
    channels=st.sampled_from([16, 48]),
    filters=st.sampled_from([16, 32, 48, 64]),
    count=st.integers(1, 3),
    add=st.booleans(),
    relu=st.booleans(),
    seed=st.integers(0, 1000),
)
def test_winograds_filtering_is_the_convolution(
    filtering: tuple[int, int, int],
    height: int,
    width: int,
    channels: int,
    filters: int,
    count: int,
    add: bool,
    relu: bool,
    seed: int,
) -> None:
    tile, side, stride = filtering
    padding = side // 2
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(filters, channels, side, side), scale=0.1).astype(np.float32)
    bias = rng.normal(size=filters).astype(np.float32)
    source = Maps(height, width, channels, border=padding, tile=tile * stride)
    out = Maps((height - 1) // stride + 1, (width - 1) // stride + 1, filters, border=1)
    bank = Bank()
    chosen = bank.add(weights, bias, stride=stride, tile=tile)
    layer = convolution(source, out, chosen, padding=(padding, padding), add=add, relu=relu)
    program = Program([layer], bank.numbers, count)
    x, before = filled(program, source, count, seed), filled(program, out, count, seed + 1)
    program.run(np.empty(0, np.uint8), count)
    expected = correlated(x, weights, bias, stride, padding) + (before if add else 0)
    found = program.maps(out, count)
    assert_allclose(found, np.maximum(expected, 0) if relu else expected, rtol=0, atol=2e-3)
    assert border(program, out, count) == 0


@settings(max_examples=25)
@given(
    shape=st.sampled_from([(1, 1), (3, 3), (5, 5), (9, 1)]),
    stride=st.integers(1, 2),
    height=st.integers(9, 21),
    width=st.integers(5, 21),
    channels=st.sampled_from([3, 16, 32]),
    filters=st.sampled_from([16, 32, 48]),
    count=st.integers(1, 3),
)
def test_plain_products_are_the_convolution(
    shape: tuple[int, int],
    stride: int,
    height: int,
    width: int,
    channels: int,
    filters: int,
    count: int,
) -> None:
    rng = np.random.default_rng(height * 100 + width)
    weights = rng.normal(size=(filters, channels, *shape), scale=0.1).astype(np.float32)
    bias = rng.normal(size=filters).astype(np.float32)
    source = Maps(height, width, channels, border=2)
    out = Maps((height - shape[0]) // stride + 1, (width - shape[1]) // stride + 1, filters, border=1)
    bank = Bank()
    layer = convolution(source, out, bank.add(weights, bias, stride=stride), relu=False)
    program = Program([layer], bank.numbers, count)
    x = filled(program, source, count, 1)
    program.run(np.empty(0, np.uint8), count)
    assert_allclose(program.maps(out, count), correlated(x, weights, bias, stride, 0), rtol=0, atol=1e-4)
    assert border(program, out, count) == 0


def test_multiply_adds_are_those_of_the_products() -> None:
    bank = Bank()
    weights, bias = np.ones((32, 16, 3, 3), np.float32), np.zeros(32, np.float32)
    source = Maps(13, 13, 16, border=1, tile=6)
    out = Maps(13, 13, 32, border=1, tile=6)
    winograd = convolution(source, out, bank.add(weights, bias, tile=6), padding=(1, 1))
    plain = convolution(source, out, bank.add(weights, bias))
    assert winograd.multiply_adds == 3 * 3 * 8 * 8 * 16 * 32  # tiles of 6 x 6 results, 8 x 8 points each
    assert plain.multiply_adds == 13 * 13 * 3 * 3 * 16 * 32
    assert largest(source, out).multiply_adds == 0


def test_pools_take_the_largest_and_the_mean() -> None:
    source, tops, means = Maps(9, 11, 16), Maps(4, 5, 16), Maps(4, 5, 32, border=1)
    program = Program([largest(source, tops), mean(source, means)], np.empty(0, np.float32), 2)
    x = filled(program, source, 2, 3)
    program.maps(means, 2)[:] = 7
    program.run(np.empty(0, np.uint8), 2)
    threes = sliding_window_view(x, (3, 3), axis=(1, 2))[:, ::2, ::2]
    assert_array_equal(program.maps(tops, 2), threes.max(axis=(-2, -1)))
    twos = sliding_window_view(x, (2, 2), axis=(1, 2))[:, ::2, ::2]
    assert_allclose(program.maps(means, 2)[..., :16], twos.mean(axis=(-2, -1)), rtol=0, atol=1e-6)
    assert (program.maps(means, 2)[..., 16:] == 0).all()


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return models.onnx(models.ENCODER, tmp_path_factory.mktemp("models"))


def chips(count: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(count).integers(0, 256, (count - 1, 30, 30, 3), dtype=np.uint8)
    return np.concatenate([noise.repeat(5, axis=1).repeat(5, axis=2), self_test_chip()[None]])


def test_the_encoder_is_that_of_onnx_runtime_whatever_the_batch(encoder: Path) -> None:
    ours, theirs = ResNet(encoder), OnnxRuntime(encoder)
    for count in (2, 1, 5, 17, 3):
        batch = chips(count)
        encodings = ours.run(batch)
        assert encodings.shape == (count, 128)
        assert_allclose(encodings, theirs.run(batch), rtol=0, atol=2e-6)
        assert_allclose(ours.run(batch[-1:]), encodings[-1:], rtol=0, atol=1e-6)


@pytest.fixture(scope="module")
def detector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return models.onnx(models.DETECTOR, tmp_path_factory.mktemp("models"))


def canvas(height: int, width: int, count: int = 1) -> Floats:
    return np.random.default_rng(height).normal(size=(count, 3, height, width), scale=0.3).astype(np.float32)


def test_the_detector_is_that_of_onnx_runtime_whatever_the_size(detector: Path) -> None:
    ours, theirs = MmodDetector(detector), OnnxRuntime(detector)
    for height, width in ((29, 29), (61, 45), (300, 157), (61, 45), (37, 220)):
        batch = canvas(height, width, count=2)
        assert_allclose(ours.run(batch), theirs.run(batch), rtol=0, atol=1e-4)


def test_what_an_earlier_canvas_left_in_memory_does_not_matter(detector: Path) -> None:
    used = MmodDetector(detector)
    used.run(1000 + canvas(300, 300))
    assert_array_equal(used.run(canvas(101, 141)), MmodDetector(detector).run(canvas(101, 141)))


def test_the_memory_of_a_large_canvas_is_given_back(detector: Path) -> None:
    network = MmodDetector(detector)
    network.run(canvas(3000, 1600))
    assert network._program is None
    network.run(canvas(300, 300))
    assert network._program is not None
