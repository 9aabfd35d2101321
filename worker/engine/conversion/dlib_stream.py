"""The primitive encodings of dlib's serialization.

Source: dlib 20.0's serialize.h, float_details.h and cuda/tensor.h.
"""

from __future__ import annotations

from math import prod
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Pair: TypeAlias = tuple[int, int]


class Stream:
    """Reads one value after the other; each method raises ValueError where the bytes hold something else."""

    def __init__(self, data: bytes) -> None:
        self._data = memoryview(data)
        self._at = 0

    def take(self, count: int) -> memoryview:
        """Return the next `count` bytes as they are."""
        taken = self._data[self._at : self._at + count]
        if count < 0 or len(taken) < count:
            raise ValueError(
                f"it ends at byte {len(self._data)}, before a field of {count} bytes at {self._at}"
            )
        self._at += count
        return taken

    def end(self) -> None:
        """Check that nothing is left over."""
        if self._at < len(self._data):
            raise ValueError(f"{len(self._data) - self._at} bytes are left over after the network")

    def integer(self) -> int:
        """Sign and width in one byte, then the magnitude, little endian."""
        control = self.take(1)[0]
        width = control & 0x0F
        if control & 0x70 or not 1 <= width <= 8:
            raise ValueError(f"byte {self._at - 1} starts no integer of dlib's")
        magnitude = int.from_bytes(self.take(width), "little")
        return -magnitude if control & 0x80 else magnitude

    def floating(self) -> float:
        """Mantissa and binary exponent, two integers; the exponents that mean infinity or NaN are refused."""
        mantissa, exponent = self.integer(), self.integer()
        if abs(exponent) > 900:
            raise ValueError(f"a number before byte {self._at} is not finite")
        return float(mantissa * 2.0**exponent)

    def boolean(self) -> bool:
        """The digit 0 or 1."""
        digit = bytes(self.take(1))
        if digit not in {b"0", b"1"}:
            raise ValueError(f"byte {self._at - 1} is neither true nor false")
        return digit == b"1"

    def text(self) -> str:
        """A length and so many bytes, one a character."""
        return bytes(self.take(self.integer())).decode("latin-1")

    def pair(self) -> Pair:
        """Two integers."""
        return self.integer(), self.integer()

    def shape(self) -> tuple[int, int, int, int]:
        """Four integers: samples, channels, rows, columns."""
        return (*self.pair(), *self.pair())

    def version(self, *allowed: int) -> int:
        """An object's version, one of those allowed."""
        version = self.integer()
        if version not in allowed:
            raise ValueError(f"version {version} of an object before byte {self._at} is unknown")
        return version

    def tensor(self) -> Floats:
        """A version, a shape, and so many float32, little endian, columns fastest."""
        self.version(2)
        shape = self.shape()
        return np.frombuffer(self.take(4 * prod(shape)), "<f4").astype(np.float32).reshape(shape)

    def alias(self) -> tuple[int, int, int, int]:
        """Return the shape of a view into a layer's parameters."""
        self.version(1)
        return self.shape()
