"""Writes networks as dlib serializes them, so that tests need no trained files."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

TRAILER = b"100"  # three booleans of a training


def integer(value: int) -> bytes:
    width = max(1, (abs(value).bit_length() + 7) // 8)
    return bytes([width | (0x80 if value < 0 else 0)]) + abs(value).to_bytes(width, "little")


def integers(*values: int) -> bytes:
    return b"".join(map(integer, values))


def floating(value: float) -> bytes:
    mantissa, exponent = math.frexp(value)
    return integers(int(mantissa * 2**53), exponent - 53)


def text(value: str) -> bytes:
    return integer(len(value)) + value.encode()


def tensor(values: Floats) -> bytes:
    shape = (*values.shape, *(1,) * (4 - values.ndim)) if values.size else (0, 0, 0, 0)
    return integers(2, *shape) + struct.pack(f"<{values.size}f", *values.ravel())


EMPTY = tensor(np.empty(0, np.float32))


def alias(*shape: int) -> bytes:
    return integers(1, *shape, *(1,) * (4 - len(shape)))


def multipliers() -> bytes:
    return floating(1) * 4


def convolution(weights: Floats, bias: Floats, *, stride: int, padding: int) -> bytes:
    filters, _, rows, columns = weights.shape
    return (
        text("con_4")
        + tensor(np.concatenate([weights.ravel(), bias]))
        + integers(filters, rows, columns, stride, stride, padding, padding)
        + alias(*weights.shape)
        + alias(1, filters)
        + multipliers()
    )


def affine(gamma: Floats, beta: Floats) -> bytes:
    shape = alias(1, len(gamma))
    return text("affine_") + tensor(np.concatenate([gamma, beta])) + shape + shape + integer(0)


def pool(name: str, size: int, stride: int) -> bytes:
    return text(name) + integers(size, size, stride, stride, 0, 0)


def fully_connected(weights: Floats, bias: Floats) -> bytes:
    inputs, outputs = weights.shape
    return (
        text("fc_2")
        + integers(outputs, inputs)
        + tensor(np.vstack([weights, bias]))
        + alias(inputs, outputs)
        + alias(1, outputs)
        + integer(0)
        + multipliers()
    )


def network(
    source: str, size: tuple[int, ...], layers: Sequence[bytes | None], left: bytes = EMPTY * 3
) -> bytes:
    """A classifier of layers from input to output; None is a tag or a skip, `left` is kept by each layer."""
    prefix = [1 if layer is None else 2 for layer in layers[1:]]
    means = floating(122.782) + floating(117.001) + floating(104.298)
    first, *others = layers
    assert first is not None
    return (
        integer(1)
        + text("loss_multiclass_log_")
        + integers(*reversed(prefix), 3)
        + (text(source) + means + integers(*size))
        + (first + TRAILER + left + integer(1))
        + b"".join(layer + TRAILER + left for layer in others if layer is not None)
    )
