"""dlib's five landmarks, point for point, in half of dlib's time.

A cascade of forests moves the landmarks from where they are on average to where they are in a picture. Each forest
looks at some hundred pixels, whose places move along with the landmarks, and each of its trees compares a few pairs
of them and adds a leaf. The 7,500 trees take 8 MB, which a worker's networks have driven out of the processor's
cache each time: what counts is how little of it is touched, and in which order.
Source: dlib 20.0's image_processing/shape_predictor.h and geometry/point_transforms.h.
"""

# ruff: noqa: PLR0917 -- kernels take arrays and where in them; a call of theirs has no keywords

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from worker.engine.conversion.landmarks_format import DEPTH, INDEX_BITS, LEAF, LEAVES, Forests, parse
from worker.engine.models import not_the_model
from worker.engine.types import Box, Pixels
from worker.simd.kernel import Bytes, Floats, Integers, kernel
from worker.simd.lanes import load, store

Doubles: TypeAlias = NDArray[np.float64]

UNIT = np.array(
    [
        [-1.0000000000000002, -2.220446049250313e-16, 1.0000000000000002],
        [0.9999999999999997, -0.9999999999999994, 1.6653345369377348e-16],
        [0.0, 1.0000000000000002, 8.326672684688674e-17],
    ]
)
"""The pseudoinverse of (0, 0), (1, 0), (1, 1), which dlib maps to a box's corners, as its code rounds it."""


class Landmarks:
    """Finds landmarks with a predictor of dlib's, of 8 landmarks or fewer. Any number of threads may share it.

    Raises SettingError where the file at `path` is no such predictor.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._forests = parse(path.read_bytes())
        except (OSError, ValueError) as error:
            raise not_the_model(path, error) from error

    def find(self, pixels: Pixels, box: Box) -> NDArray[np.int64]:
        """Return x and y of each landmark, (landmarks, 2), in pixels of the picture; a box may reach out of it.

        pixels: (height, width, 3) RGB, uint8, C-contiguous, of less than 2^31 bytes.
        """
        return _predict(pixels, _corners(box), self._forests)


def _corners(box: Box) -> Doubles:
    """Return dlib's map of (x, y, 1), both 0 to 1 within a box, to pixels, (2, 3)."""
    corners = np.array([[box.left, box.right, box.right], [box.top, box.top, box.bottom]], np.float64)
    map_: Doubles = corners[:, :1] * UNIT[0] + corners[:, 1:2] * UNIT[1] + corners[:, 2:] * UNIT[2]
    return map_


@kernel
def _predict(pixels: Bytes, box: Doubles, forests: Forests) -> NDArray[np.int64]:
    coordinates = len(forests.initial)
    count, trees = forests.sizes
    compared = len(forests.right) // count
    shape = np.zeros(LEAF, np.float32)
    shape[:coordinates] = forests.initial
    places = np.empty(compared, np.int32)
    values = np.empty(compared, np.int32)
    chosen = np.empty(trees, np.int32)
    for forest in range(count):
        turn = _similarity(forests.initial, shape)
        _place(forests, forest, shape, turn, box, pixels.shape, places)
        _look(pixels.reshape(-1), places, values)
        _choose(forests.nodes, forest * trees * LEAVES, values, chosen)
        _add(shape, forests.leaves, chosen)
    landmarks = np.empty((coordinates // 2, 2), np.int64)
    for k in range(coordinates // 2):
        x, y = np.float64(shape[2 * k]), np.float64(shape[2 * k + 1])
        landmarks[k, 0] = np.floor(box[0, 0] * x + box[0, 1] * y + box[0, 2] + 0.5)
        landmarks[k, 1] = np.floor(box[1, 0] * x + box[1, 1] * y + box[1, 2] + 0.5)
    return landmarks


@kernel
def _similarity(initial: Floats, shape: Floats) -> tuple[np.float32, np.float32]:
    """Return cosine and sine, both times the scale, of the turn that brings `initial` nearest to `shape`.

    dlib takes them from a singular value decomposition (Umeyama, "Least-squares estimation of transformation
    parameters between two point patterns", 1991); in two dimensions they are two sums.
    """
    landmarks = len(initial) // 2
    from_x = from_y = to_x = to_y = 0.0
    for k in range(landmarks):
        from_x += initial[2 * k] / landmarks
        from_y += initial[2 * k + 1] / landmarks
        to_x += shape[2 * k] / landmarks
        to_y += shape[2 * k + 1] / landmarks
    spread = along = across = 0.0
    for k in range(landmarks):
        a, b = initial[2 * k] - from_x, initial[2 * k + 1] - from_y
        c, d = shape[2 * k] - to_x, shape[2 * k + 1] - to_y
        spread += a * a + b * b
        along += a * c + b * d
        across += a * d - b * c
    if spread == 0:  # a single landmark
        return np.float32(1), np.float32(0)
    return np.float32(along / spread), np.float32(across / spread)


@kernel
def _place(
    forests: Forests,
    forest: int,
    shape: Floats,
    turn: tuple[np.float32, np.float32],
    box: Doubles,
    size: tuple[int, int, int],
    places: Integers,
) -> None:
    """Find where the pixels of a forest lie: the first of a pixel's bytes, -1 outside of the picture."""
    cosine, sine = turn
    height, width = np.int32(size[0]), np.int32(size[1])
    x_x, x_y, x_1, y_x, y_y, y_1 = box[0, 0], box[0, 1], box[0, 2], box[1, 0], box[1, 1], box[1, 2]
    first = np.uint64(forest * len(places))
    for k in range(len(forests.initial) // 2):
        near_x, near_y = shape[2 * k], shape[2 * k + 1]
        for pixel in range(np.uint64(forests.starts[forest, k]), np.uint64(forests.starts[forest, k + 1])):
            right, down = forests.right[first + pixel], forests.down[first + pixel]
            x, y = (
                np.float64(cosine * right - sine * down + near_x),
                np.float64(sine * right + cosine * down + near_y),
            )
            column, row = np.floor(x_x * x + x_y * y + x_1 + 0.5), np.floor(y_x * x + y_y * y + y_1 + 0.5)
            inside = (column >= 0) & (row >= 0) & (column < width) & (row < height)
            at = (np.int32(row) * width + np.int32(column)) * np.int32(3)
            places[pixel] = at if inside else np.int32(-1)


@kernel
def _look(pixels: Bytes, places: Integers, values: Integers) -> None:
    """Fetch the grey values at some places, 0 for those outside of the picture."""
    for k in range(len(places)):
        if places[k] < 0:
            values[k] = 0
        else:
            at = np.uint64(places[k])
            total = np.uint32(pixels[at]) + pixels[at + np.uint64(1)] + pixels[at + np.uint64(2)]
            values[k] = np.uint32(total) // np.uint32(3)


@kernel
def _choose(nodes: Integers, first: int, values: Integers, chosen: Integers) -> None:
    """Walk down each tree of a forest: the number of the leaf that it ends at, among those of all forests.

    The walk does not branch: a processor would foretell only half of the turns.
    """
    mask = (1 << INDEX_BITS) - 1
    for tree in range(len(chosen)):
        root = np.uint64(first + tree * LEAVES)
        at = np.uint64(0)
        for _ in range(DEPTH):
            node = nodes[root + at]
            one, other = values[np.uint64(node & mask)], values[np.uint64(node >> INDEX_BITS & mask)]
            brighter = np.uint32((node >> 2 * INDEX_BITS) - (one - other)) >> np.uint32(31)
            at = np.uint64(2) * at + np.uint64(2) - np.uint64(brighter)
        chosen[tree] = root + at - np.uint64(LEAVES - 1)


@kernel
def _add(shape: Floats, leaves: Floats, chosen: Integers) -> None:
    """Move the landmarks by one leaf after the other."""
    moved = load(shape, 0, LEAF)
    for tree in range(len(chosen)):
        moved += load(leaves, chosen[tree] * LEAF, LEAF)
    store(shape, 0, moved)
