"""What stages of the engine cost beside what this processor allows: `python -m benchmarks.engine --limit`.

The limits are measured in the same run: multiply-adds of numbers that are in registers already, in float32 and in
16-bit integers, and bytes that are read one after the other from memory that no cache holds. All on one thread: the
least processor time of some rounds, by turns, so that a busy machine is busy for all of them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np

from benchmarks.material.people import People, pictures
from faces.distances import COMPARE_TOLERANCE
from worker.engine import models
from worker.engine.conversion.networks import CHIP
from worker.engine.detection.hog.filters import (
    NUMBER,
    TILES,
    VALID,
    Tiles,
    multiply_tiles,
    score_row,
    tiles,
    turn_back,
)
from worker.engine.detection.hog.fourier import KEPT, SIDE
from worker.engine.detection.hog.gradients import PIECE
from worker.engine.detection.hog.histogram import CELL, DIRECTIONS, PIXELS, STEP, visible, vote
from worker.engine.detection.hog.picture import Picture, Room
from worker.engine.detection.hog.resize import resize_all
from worker.engine.detection.hog.spectra import DEPTH, Spectra, spectra
from worker.engine.detection.hog.weights import DETECTORS, frontal_face_weights
from worker.engine.runtime.convolution.resnet import ResNet
from worker.index import Index
from worker.simd.arithmetic import as_i16, fma
from worker.simd.kernel import Floats, Integers, Shorts, kernel
from worker.simd.lanes import load, splat, store
from worker.simd.processor import compiles_for
from worker.simd.shuffles import dot_pairs

ROUNDS = 9
STEPS = 100_000
MEMORY = 128 << 20  # bytes
KNOWN = 500_000  # faces
LENGTH = 16 if compiles_for("avx512f") else 8  # float32 in a register
TOGETHER = 8 * LENGTH  # sums in eight registers, that do not wait for each other
FLOATS, SHORTS, BYTES = "multiply-adds in float32", "multiply-adds in 16 bits", "bytes from memory"

Work: TypeAlias = tuple[str, float, Callable[[], object]]
"""The limit that it is held against, how much of that it takes, and the work itself."""


def report(cache: Path) -> None:
    """Measure and print; `cache` is the folder of converted models."""
    work = {
        FLOATS: _floats(),
        SHORTS: _shorts(),
        BYTES: _reading(),
        "encoding, a face": _encoding(cache),
        "HOG: a level's pixels, 2.8 megapixels": _resizing(),
        "HOG: votes of a row of 256 cells": _voting(),
        f"HOG: filters, a row of 12 tiles of {VALID} x {VALID} windows": _filtering(),
        f"index: one face among {KNOWN}": _matching(1),
        f"index: 16 faces among {KNOWN}": _matching(16),
    }
    best = dict.fromkeys(work, np.inf)
    for _ in range(ROUNDS):
        for name, (_, _, run) in work.items():
            begun = time.thread_time()
            run()
            best[name] = min(best[name], time.thread_time() - begun)
    print(f"{'':40} {'ms':>9} {'million':>9} {'G/s':>7} {'share':>6}")
    for name, (limit, amount, _) in work.items():
        most = work[limit][1] / best[limit]
        rate = amount / best[name]
        print(
            f"{name:40} {best[name] * 1e3:9.3f} {amount / 1e6:9.2f} {rate / 1e9:7.1f} {rate / most:6.0%}  {limit}"
        )


def _floats() -> Work:
    return FLOATS, STEPS * TOGETHER, partial(_multiply_floats, np.full(TOGETHER + 1, 0.5, np.float32), STEPS)


def _shorts() -> Work:
    return SHORTS, STEPS * TOGETHER * 2, partial(_multiply_shorts, np.ones(TOGETHER + 1, np.int32), STEPS)


def _reading() -> Work:
    numbers = np.ones(MEMORY // 4, np.float32)
    return BYTES, MEMORY, partial(_sum, numbers, np.empty(LENGTH, np.float32))


def _encoding(cache: Path) -> Work:
    network = ResNet(models.onnx(models.ENCODER, cache))
    chip = np.random.default_rng(0).integers(0, 255, (1, CHIP, CHIP, 3), np.uint8)
    return FLOATS, network.multiply_adds, partial(network.run, chip)


def _resizing() -> Work:
    source, target = _picture(2306, 1729), _picture(1921, 1440)
    moved = source.channels * (source.width * source.height + target.width * target.height)
    return BYTES, moved, partial(resize_all, source, target)


def _voting() -> Work:
    picture = _picture(2306, 64)
    votes = np.empty(DIRECTIONS * STEP, np.float32)
    room = CELL * PIXELS + PIECE
    direction, length = np.zeros(room, np.int16), np.zeros(room, np.float32)
    borders = visible(picture.width), visible(picture.height)
    blocks = 16
    amount = blocks * picture.channels * PIXELS * CELL
    return BYTES, amount, partial(_vote, picture, *borders, blocks, votes, direction, length)


def _filtering() -> Work:
    weights = spectra(frontal_face_weights().filters)
    across = 12
    row = ((across - 1) * VALID + SIDE) * DEPTH
    cells = np.random.default_rng(0).random(SIDE * row, np.float32)
    # the products of the transforms alone: a complex one is four real ones, and a number of the weights is two
    amount = across * KEPT * SIDE * DETECTORS * NUMBER * 2
    return FLOATS, amount, partial(_filter, cells, row, across, weights, tiles())


def _matching(queries: int) -> Work:
    people = People(KNOWN // 4)
    known, asked = people.faces(KNOWN), people.faces(queries)
    index = Index(COMPARE_TOLERANCE)
    index.extend(*pictures(KNOWN, people.random), known)
    if queries == 1:
        return BYTES, KNOWN * 34, partial(index.matches, asked)  # coarse sketches and their terms
    return SHORTS, KNOWN * queries * 64, partial(index.matches, asked)


def _picture(width: int, height: int) -> Picture:
    picture = Room().blank(width, height, 3)
    picture.data[:] = np.random.default_rng(0).integers(0, 255, picture.data.size, np.uint8)
    return picture


@kernel
def _filter(cells: Floats, row: int, across: int, weights: Spectra, room: Tiles) -> None:
    for first in range(0, across, TILES):
        multiply_tiles(cells, first * VALID * DEPTH, row, TILES, weights, room)
        for tile in range(TILES):
            turn_back(room, tile)
            for y in range(VALID):
                score_row(room, y)


@kernel
def _vote(  # noqa: PLR0917 - kernels take no keywords
    picture: Picture, right: int, bottom: int, blocks: int, votes: Floats, direction: Shorts, length: Floats
) -> None:
    for block in range(blocks):
        vote(picture, right, bottom, 4 + block * PIXELS, 4 + CELL, votes, direction, length)


@kernel
def _sum(numbers: Floats, out: Floats) -> None:
    a, b = load(numbers, 0, LENGTH), load(numbers, LENGTH, LENGTH)
    c, d = load(numbers, 2 * LENGTH, LENGTH), load(numbers, 3 * LENGTH, LENGTH)
    for i in range(4 * LENGTH, numbers.size, 4 * LENGTH):
        a += load(numbers, i, LENGTH)
        b += load(numbers, i + LENGTH, LENGTH)
        c += load(numbers, i + 2 * LENGTH, LENGTH)
        d += load(numbers, i + 3 * LENGTH, LENGTH)
    store(out, 0, a + b + c + d)


@kernel
def _multiply_floats(numbers: Floats, steps: int) -> None:
    sums, by = load(numbers, 0, TOGETHER), splat(numbers[TOGETHER], TOGETHER)
    for _ in range(steps):
        sums = fma(sums, by, by)
    store(numbers, 0, sums)


@kernel
def _multiply_shorts(numbers: Integers, steps: int) -> None:
    sums, by = load(numbers, 0, TOGETHER), as_i16(splat(numbers[TOGETHER], TOGETHER))
    for _ in range(steps):
        sums += dot_pairs(as_i16(sums), by)
    store(numbers, 0, sums)
