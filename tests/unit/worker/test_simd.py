"""Operations on vectors that have code of their own for some processors, against plain NumPy."""

import numpy as np
from numpy.typing import NDArray

from worker.simd.arithmetic import multiply_high
from worker.simd.kernel import Bytes, Integers, Shorts, kernel
from worker.simd.lanes import load, store
from worker.simd.shuffles import PICK, pick


@kernel
def _pick(source: Bytes, positions: Integers, out: Integers) -> None:
    store(out, 0, pick(load(source, 0, 16), load(positions, 0, 8)))


@kernel
def _multiply_high(numbers: Shorts, out: Shorts) -> None:
    store(out, 0, multiply_high(load(numbers, 0, 16), 37842))


def numbers_of(random: np.random.Generator, most: int, count: int) -> NDArray[np.int32]:
    return random.integers(0, most, count, np.int32)


def test_pick_takes_bytes_as_numbers() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        source, positions = numbers_of(random, 256, 16), numbers_of(random, 16, 8)
        out = np.full(8, -1, np.int32)
        _pick(source.astype(np.uint8), positions + PICK, out)
        np.testing.assert_array_equal(out, source[positions])


def test_multiply_high_gives_the_upper_half() -> None:
    numbers = numbers_of(np.random.default_rng(0), 32768, 16)
    out = np.zeros(16, np.int16)
    _multiply_high(numbers.astype(np.int16), out)
    np.testing.assert_array_equal(out, numbers.astype(np.int64) * 37842 >> 16)
