"""Operations on vectors that have code of their own for some processors, against plain NumPy."""

import numpy as np
from numpy.typing import NDArray

from worker.simd.arithmetic import as_i16
from worker.simd.kernel import Bytes, Floats, Integers, Shorts, kernel
from worker.simd.lanes import load, store
from worker.simd.packing import dot_bytes, excess, high_pairs, low_pairs, pack
from worker.simd.shuffles import PICK, pick, totals, transpose


@kernel
def _pick(source: Bytes, positions: Integers, out: Integers) -> None:
    store(out, 0, pick(load(source, 0, 16), load(positions, 0, 8)))


@kernel
def _there_and_back(low: Bytes, high: Bytes, out: Bytes) -> None:
    a, b = load(low, 0, 32), load(high, 0, 32)
    first, second = as_i16(low_pairs(a, b)), as_i16(high_pairs(a, b))
    store(out, 0, pack(first, second))


@kernel
def _masks(numbers: Integers, out: Shorts) -> None:
    store(out, 0, pack(load(numbers, 0, 8), load(numbers, 8, 8)))


@kernel
def _dot_bytes(numbers: Bytes, out: Shorts) -> None:
    store(out, 0, dot_bytes(load(numbers, 0, 32), -87, 73))


@kernel
def _excess(a: Bytes, b: Bytes, out: Bytes) -> None:
    store(out, 0, excess(load(a, 0, 32), load(b, 0, 32)))


@kernel
def _totals(numbers: Floats, out: Floats) -> None:
    a, b, c = load(numbers, 0, 16), load(numbers, 16, 16), load(numbers, 32, 16)
    store(out, 0, totals(a, b, c, load(numbers, 48, 16), load(numbers, 64, 16)))


@kernel
def _transpose(numbers: Floats, out: Floats) -> None:
    transpose(numbers, 0, 10, out, 0, 8)


def numbers_of(random: np.random.Generator, most: int, count: int) -> NDArray[np.int32]:
    return random.integers(0, most, count, np.int32)


def test_pick_takes_bytes_as_numbers() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        source, positions = numbers_of(random, 256, 16), numbers_of(random, 16, 8)
        out = np.full(8, -1, np.int32)
        _pick(source.astype(np.uint8), positions + PICK, out)
        np.testing.assert_array_equal(out, source[positions])


def test_pairs_are_packed_in_their_first_order() -> None:
    numbers = numbers_of(np.random.default_rng(0), 128, 32).astype(np.uint8)
    out = np.zeros(32, np.uint8)
    _there_and_back(numbers, np.zeros(32, np.uint8), out)
    np.testing.assert_array_equal(out, numbers)


def test_packed_numbers_keep_their_sign() -> None:
    numbers, out = np.arange(-8, 8, dtype=np.int32) * 4000, np.zeros(16, np.int16)
    _masks(numbers, out)
    np.testing.assert_array_equal(out.reshape(2, 2, 4).swapaxes(0, 1).ravel(), numbers)


def test_products_of_neighbouring_bytes_are_added() -> None:
    numbers, out = numbers_of(np.random.default_rng(0), 256, 32), np.zeros(16, np.int16)
    _dot_bytes(numbers.astype(np.uint8), out)
    np.testing.assert_array_equal(out, numbers[1::2] * 73 - numbers[::2] * 87)


def test_excess_is_zero_where_there_is_none() -> None:
    a, b = numbers_of(np.random.default_rng(0), 256, 64).astype(np.uint8).reshape(2, 32)
    out = np.zeros(32, np.uint8)
    _excess(a, b, out)
    np.testing.assert_array_equal(out, np.maximum(a.astype(int) - b, 0))


def test_totals_are_those_of_each_vector() -> None:
    numbers, out = np.arange(80, dtype=np.float32), np.full(8, np.nan, np.float32)
    _totals(numbers, out)
    np.testing.assert_array_equal(out, [*numbers.reshape(5, 16).sum(axis=1), 0, 0, 0])


def test_rows_and_columns_are_exchanged() -> None:
    numbers, out = np.arange(80, dtype=np.float32), np.zeros(64, np.float32)
    _transpose(numbers, out)
    np.testing.assert_array_equal(out.reshape(8, 8), numbers.reshape(8, 10)[:, :8].T)
