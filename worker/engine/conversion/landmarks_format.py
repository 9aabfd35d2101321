"""Reads dlib's predictor of landmarks (`shape_predictor`): a cascade of forests of regression trees.

The file is nothing but integers in dlib's encoding, three million of them for five landmarks; a float is two, its
mantissa and its binary exponent. They are decoded at once by a kernel and taken apart by numpy, in 20 ms. Source:
dlib 20.0's image_processing/shape_predictor.h, serialize.h and float_details.h.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from worker.simd.kernel import Bytes, Floats, Integers, kernel

WIDEST = 4  # bytes of an integer: sizes, indices and mantissas of float32 have no more
INDEX_BITS = 10  # of each of a node's two indices, which are packed into 32 bits with its threshold
DEPTH = 4  # of a tree, as dlib makes them
LEAVES = 1 << DEPTH
SPLITS = LEAVES - 1
LEAF = 16  # numbers of a leaf, with zeros behind: one line of the processor's cache


class Forests(NamedTuple):
    """A predictor, laid out to be walked through: what a picture costs is the memory that it touches.

    Landmarks are numbered as in the file, x precedes y, and a box spans 0 to 1. A tree's root is its first node,
    and the children of node i are 2 i + 1, where it says yes, and 2 i + 2.
    """

    initial: Floats  # (2 * landmarks,): where landmarks are before a picture is looked at
    sizes: tuple[int, int]  # forests, trees of each
    starts: Integers  # (forests, landmarks + 1): the first of the pixels that lie near a landmark
    right: Floats  # (forests * pixels,): how far from their landmark pixels lie
    down: Floats
    nodes: Integers  # (forests * trees * LEAVES,): see `packed`; the last one of a tree is unused
    leaves: Floats  # (forests * trees * LEAVES * LEAF,): how far each moves the landmarks


def parse(data: bytes) -> Forests:
    """Return the predictor that dlib serialized.

    Raises:
        ValueError: `data` is something else, ends early, goes on after the predictor, or holds a predictor of
            another build than the kernels walk through: more than 8 landmarks or 1024 pixels a forest, forests
            of different sizes, trees of another depth.
    """
    numbers = _Numbers(_integers(data))
    numbers.expect(1)
    initial = _initial(numbers)
    landmarks = len(initial) // 2
    forests = numbers.one()
    trees = _trees(numbers, forests, len(initial))
    anchors = _by_forest(numbers, forests, 1)
    offsets = _floats(_by_forest(numbers, forests, 4)).reshape(forests, -1, 2)
    numbers.end()
    if anchors.shape != offsets.shape[:2] or not 0 < anchors.shape[1] <= 1 << INDEX_BITS:
        raise ValueError(
            f"a forest compares {anchors.shape[1]} pixels and knows where {offsets.shape[1]} are"
        )
    _check(anchors, landmarks, "landmark")
    _check(trees.compared, anchors.shape[1], "pixel")
    order = np.argsort(anchors, axis=1, kind="stable")
    place = np.argsort(order, axis=1)  # of a pixel, when pixels are sorted by landmark
    sorted_offsets = np.take_along_axis(offsets, order[:, :, None], 1)
    compared = np.take_along_axis(place, trees.compared.reshape(forests, -1), 1)
    return Forests(
        initial=initial,
        sizes=(forests, trees.leaves.shape[1]),
        starts=(anchors[:, :, None] < np.arange(landmarks + 1)).sum(1, dtype=np.int32),
        right=sorted_offsets[..., 0].ravel(),
        down=sorted_offsets[..., 1].ravel(),
        nodes=packed(compared.reshape(trees.compared.shape), trees.thresholds).ravel(),
        leaves=np.pad(trees.leaves, [*[(0, 0)] * 3, (0, LEAF - len(initial))]).ravel(),
    )


def packed(compared: NDArray[np.int64], thresholds: Floats) -> Integers:
    """Return the nodes of trees (..., nodes) as integers (..., nodes + 1).

    A node asks whether pixel `compared[..., 0]` is brighter than `compared[..., 1]` by more than a threshold; as
    pixels are whole, the threshold may be too. The lowest bits are the first pixel, then follow the second one
    and the threshold.
    """
    least = np.clip(np.floor(thresholds), -256, 255).astype(np.int64)
    node = least << 2 * INDEX_BITS | compared[..., 1] << INDEX_BITS | compared[..., 0]
    return np.pad(node, [(0, 0)] * (node.ndim - 1) + [(0, 1)]).astype(np.int32)


@dataclass(frozen=True, slots=True)
class _Trees:
    compared: NDArray[np.int64]  # (forests, trees, nodes, 2)
    thresholds: Floats  # (forests, trees, nodes)
    leaves: Floats  # (forests, trees, leaves, coordinates)


class _Numbers:
    """Takes one part of the file's integers after the other; ValueError where they end or are not as expected."""

    def __init__(self, numbers: Integers) -> None:
        self._left = numbers

    def take(self, *shape: int) -> Integers:
        count = prod(shape)
        if min(shape) < 0 or count > len(self._left):
            raise ValueError(f"it ends {len(self._left)} numbers before its end, where {shape} should follow")
        taken, self._left = self._left[:count], self._left[count:]
        return taken.reshape(shape)

    def one(self) -> int:
        return int(self.take(1)[0])

    def ahead(self, index: int) -> int:
        """Return one of the next numbers without taking it."""
        return int(self._left[index]) if index < len(self._left) else 0

    def expect(self, *numbers: int) -> None:
        if (found := self.take(len(numbers)).tolist()) != list(numbers):
            raise ValueError(f"it has {found} where a predictor of landmarks has {list(numbers)}")

    def end(self) -> None:
        if len(self._left):
            raise ValueError(f"{len(self._left)} numbers are left over after the predictor")


def _initial(numbers: _Numbers) -> Floats:
    coordinates = -numbers.one()  # dlib writes a matrix's sizes with a minus
    if coordinates % 2 or not 0 < coordinates <= LEAF:
        raise ValueError(f"it has {coordinates} coordinates, not those of 1 to {LEAF // 2} landmarks")
    numbers.expect(-1)
    return _floats(numbers.take(2 * coordinates))


def _trees(numbers: _Numbers, forests: int, coordinates: int) -> _Trees:
    trees = numbers.ahead(0)
    if min(forests, trees) < 1:
        raise ValueError(f"it has {forests} forests of {trees} trees")
    leaf = 2 + 2 * coordinates
    rows = numbers.take(forests, 1 + trees * (1 + 4 * SPLITS + 1 + LEAVES * leaf))
    grown = rows[:, 1:].reshape(forests, trees, -1)
    nodes = grown[..., 1 : 1 + 4 * SPLITS].reshape(forests, trees, SPLITS, 4)
    leaves = grown[..., 2 + 4 * SPLITS :].reshape(forests, trees, LEAVES, leaf)
    if not (
        (rows[:, 0] == trees).all()
        and (grown[..., 0] == SPLITS).all()
        and (grown[..., 1 + 4 * SPLITS] == LEAVES).all()
        and (leaves[..., :2] == (-coordinates, -1)).all()
    ):
        raise ValueError(f"its trees have not {LEAVES} leaves each")
    return _Trees(nodes[..., :2].astype(np.int64), _floats(nodes[..., 2:])[..., 0], _floats(leaves[..., 2:]))


def _by_forest(numbers: _Numbers, forests: int, each: int) -> Integers:
    """Take a vector for each forest, all of one length, of elements of so many numbers: (forests, numbers)."""
    numbers.expect(forests)
    length = numbers.ahead(0)
    rows = numbers.take(forests, 1 + length * each)
    if (rows[:, 0] != length).any():
        raise ValueError("its forests compare different numbers of pixels")
    return rows[:, 1:]


def _check(indices: NDArray[np.integer], end: int, what: str) -> None:
    if indices.min() < 0 or indices.max() >= end:
        raise ValueError(f"it names a {what} {indices.min()} or {indices.max()} and has {end}")


def _floats(numbers: Integers) -> Floats:
    """Return the floats of mantissas and exponents (..., 2 n) by turns as (..., n)."""
    mantissa, exponent = numbers[..., ::2], numbers[..., 1::2]
    with np.errstate(over="ignore"):
        values: Floats = np.ldexp(mantissa.astype(np.float32), exponent)
    if not np.isfinite(values).all() or (np.abs(exponent) > 900).any():
        raise ValueError("a number of it is not finite")
    return values


def _integers(data: bytes) -> Integers:
    padded = np.frombuffer(data + bytes(WIDEST), np.uint8).copy()
    numbers = np.empty(len(data) // 2, np.int32)
    found = decode(padded, len(data), numbers)
    if found < 0:
        raise ValueError(f"byte {-found - 1} starts no integer of a predictor")
    return numbers[:found]


@kernel
def decode(data: Bytes, end: int, numbers: Integers) -> int:
    """Decode dlib's integers: sign and width in one byte, then the magnitude, little endian.

    `data` has WIDEST bytes after its `end`. Returns how many, or -1 less the place of a byte that starts none.
    """
    at = found = 0
    while at < end:
        width = data[at] & 0x7F
        if not 1 <= width <= WIDEST or at + width >= end:
            return -1 - at
        magnitude = np.uint32(data[at + 1]) | np.uint32(data[at + 2]) << np.uint32(8)
        magnitude |= np.uint32(data[at + 3]) << np.uint32(16) | np.uint32(data[at + 4]) << np.uint32(24)
        magnitude &= np.uint32(0xFFFFFFFF) >> np.uint32(8 * (WIDEST - width))
        if magnitude > np.uint32(0x7FFFFFFF):
            return -1 - at
        number = np.int32(magnitude)
        numbers[found] = -number if data[at] & 0x80 else number
        found += 1
        at += 1 + width
    return found
