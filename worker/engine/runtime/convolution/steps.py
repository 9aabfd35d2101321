"""The kernels that carry out the steps of a program of layers; `record` says what a step holds."""

# ruff: noqa: PLR0917 -- kernels take arrays and where in them; a call of theirs has no keywords

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from worker.engine.runtime.convolution.product import LANES, ROWS, multiply
from worker.engine.runtime.convolution.record import DIRECT, GATHERED, LARGEST, MEAN, WINOGRAD, Step
from worker.engine.runtime.convolution.transform import APART, gather, spread
from worker.simd.arithmetic import maximum, to_f32, to_i32
from worker.simd.kernel import Bytes, Floats, Vector, kernel
from worker.simd.lanes import load, splat, store


@kernel
def run(
    steps: NDArray[np.void],
    numbers: Floats,
    weights: Floats,
    pixels: Bytes,
    inputs: Floats,
    products: Floats,
    first: int,
    last: int,
) -> None:
    """Carry out steps in order for the pictures from `first` to before `last`.

    pixels: the pictures' bytes, for READ; inputs and products: room for patches or transformed tiles.
    """
    for i in range(steps.size):
        step = steps[i]
        if step.operation == WINOGRAD:
            _winograd(step, numbers, weights, inputs, products, first, last)
        elif step.operation == GATHERED:
            _gathered(step, numbers, weights, inputs, products, first, last)
        elif step.operation == DIRECT:
            _direct(step, numbers, weights, products, first, last)
        elif step.operation == MEAN:
            _mean(step, numbers, first, last)
        elif step.operation == LARGEST:
            _largest(step, numbers, first, last)
        else:
            _read(step, numbers, pixels, first, last)


@kernel
def _winograd(
    step: Step, numbers: Floats, weights: Floats, inputs: Floats, products: Floats, first: int, last: int
) -> None:
    """Convolve by Winograd's filtering; the phases of a stride count as channels of their own."""
    size, depth = step.results, step.stride**2 * step.channels
    points = size + (step.rows - 1) // step.stride
    down, across = (step.height + size - 1) // size, (step.width + size - 1) // size
    plane, product_plane = ROWS * depth + APART, ROWS * step.panel + APART
    room = np.empty((points**2 + size**2) * LANES, np.float32)
    for begin in range(first * down * across, last * down * across, ROWS):
        end = min(begin + ROWS, last * down * across)
        for tile in range(begin, end):
            _spread(step, numbers, tile, down, across, room, inputs, (tile - begin) * depth, plane)
        for panel in range(0, step.filters, step.panel):
            for k in range(points**2):
                at = step.weights + (panel * points**2 + k * step.panel) * depth
                to = k * product_plane
                multiply(
                    end - begin, step.panel, inputs, k * plane, depth, 1, 0, depth, weights, at, products, to
                )
            for tile in range(begin, end):
                picture, y = tile // (down * across), tile // across % down * size
                x = tile % across * size
                to = step.out + picture * step.out_area + (y * step.out_pitch + x) * step.filters
                for lane in range(0, step.panel, LANES):
                    at = (tile - begin) * step.panel + lane
                    gather(step.kind, points, size, products, at, product_plane, room)
                    for i in range(min(size, step.height - y)):
                        for j in range(min(size, step.width - x)):
                            sums = load(room, (i * size + j) * LANES, LANES)
                            place = to + (i * step.out_pitch + j) * step.filters + panel + lane
                            _finish(step, sums, weights, panel + lane, numbers, place)


@kernel
def _spread(
    step: Step,
    numbers: Floats,
    tile: int,
    down: int,
    across: int,
    room: Floats,
    inputs: Floats,
    to: int,
    plane: int,
) -> None:
    """Transform one tile, each phase of the stride for itself."""
    points = step.results + (step.rows - 1) // step.stride
    y = tile // across % down * step.results * step.stride - step.above
    x = tile % across * step.results * step.stride - step.before
    row, pixel = step.stride * step.pitch * step.channels, step.stride * step.channels
    begin = step.source + tile // (down * across) * step.area
    for i in range(step.stride):
        for j in range(step.stride):
            at = begin + ((y + i) * step.pitch + x + j) * step.channels
            phase = to + (i * step.stride + j) * step.channels
            spread(points, numbers, at, row, pixel, step.channels, room, inputs, phase, plane)


@kernel
def _gathered(
    step: Step, numbers: Floats, weights: Floats, inputs: Floats, products: Floats, first: int, last: int
) -> None:
    """Convolve by products of patches, each copied together; the channels are a multiple of LANES."""
    run, patch = step.columns * step.channels, step.rows * step.columns * step.channels
    results = step.height * step.width
    for begin in range(first * results, last * results, ROWS):
        end = min(begin + ROWS, last * results)
        for i in range(begin, end):
            y = i // step.width % step.height * step.stride - step.above
            x = i % step.width * step.stride - step.before
            at = step.source + i // results * step.area + (y * step.pitch + x) * step.channels
            for row in range(step.rows):
                for c in range(0, run, LANES):
                    values = load(numbers, at + row * step.pitch * step.channels + c, LANES)
                    store(inputs, (i - begin) * patch + row * run + c, values)
        for panel in range(0, step.filters, step.panel):
            at = step.weights + panel * patch
            multiply(end - begin, step.panel, inputs, 0, patch, 1, 0, patch, weights, at, products, 0)
            for i in range(begin, end):
                y, x = i // step.width % step.height, i % step.width
                to = step.out + i // results * step.out_area + (y * step.out_pitch + x) * step.filters
                for lane in range(0, step.panel, LANES):
                    sums = load(products, (i - begin) * step.panel + lane, LANES)
                    _finish(step, sums, weights, panel + lane, numbers, to + panel + lane)


@kernel
def _direct(step: Step, numbers: Floats, weights: Floats, products: Floats, first: int, last: int) -> None:
    """Convolve without copying, for maps of few channels; one panel of filters, no padding."""
    row, run = step.pitch * step.channels, step.columns * step.channels
    for picture in range(first, last):
        for y in range(step.height):
            for x in range(0, step.width, ROWS):
                at = (
                    step.source
                    + picture * step.area
                    + y * step.stride * row
                    + x * step.stride * step.channels
                )
                multiply(
                    step.width - x, step.panel, numbers, at, step.stride * step.channels, step.rows, row, run,
                    weights, step.weights, products, 0,
                )  # fmt: skip
                for i in range(min(ROWS, step.width - x)):
                    to = step.out + picture * step.out_area + (y * step.out_pitch + x + i) * step.filters
                    for lane in range(0, step.panel, LANES):
                        sums = load(products, i * step.panel + lane, LANES)
                        _finish(step, sums, weights, lane, numbers, to + lane)


@kernel
def _finish(step: Step, sums: Vector, weights: Floats, filters: int, out: Floats, to: int) -> None:
    """Add the bias, and what is there if the step says so; write all, or what is positive."""
    value = sums + load(weights, step.bias + filters, LANES)
    if step.add:
        value += load(out, to, LANES)
    if step.relu:
        value = maximum(value, splat(np.float32(0), LANES))
    store(out, to, value)


@kernel
def _mean(step: Step, numbers: Floats, first: int, last: int) -> None:
    """Write the mean of each 2 x 2 to the first channels, zeros to the others."""
    quarter = splat(np.float32(0.25), LANES)
    for picture in range(first, last):
        for y in range(step.height):
            for x in range(step.width):
                at = step.source + picture * step.area + (2 * y * step.pitch + 2 * x) * step.channels
                to = step.out + picture * step.out_area + (y * step.out_pitch + x) * step.filters
                below = at + step.pitch * step.channels
                for c in range(0, step.channels, LANES):
                    upper = load(numbers, at + c, LANES) + load(numbers, at + step.channels + c, LANES)
                    lower = load(numbers, below + c, LANES) + load(numbers, below + step.channels + c, LANES)
                    store(numbers, to + c, (upper + lower) * quarter)
                for c in range(step.channels, step.filters, LANES):
                    store(numbers, to + c, splat(np.float32(0), LANES))


@kernel
def _largest(step: Step, numbers: Floats, first: int, last: int) -> None:
    """Write the largest of each 3 x 3, with stride 2."""
    for picture in range(first, last):
        for y in range(step.height):
            for x in range(step.width):
                at = step.source + picture * step.area + (2 * y * step.pitch + 2 * x) * step.channels
                to = step.out + picture * step.out_area + (y * step.out_pitch + x) * step.filters
                for c in range(0, step.channels, LANES):
                    value = splat(np.float32(-np.inf), LANES)
                    for i in range(3):
                        begin = at + i * step.pitch * step.channels + c
                        value = maximum(value, load(numbers, begin, LANES))
                        value = maximum(value, load(numbers, begin + step.channels, LANES))
                        value = maximum(value, load(numbers, begin + 2 * step.channels, LANES))
                    store(numbers, to + c, value)


@kernel
def _read(step: Step, numbers: Floats, pixels: Bytes, first: int, last: int) -> None:
    """Write bytes as numbers; their maps have no border."""
    size = step.height * step.width * step.channels
    for picture in range(first, last):
        to = step.out + picture * step.out_area
        for i in range(0, size, LANES):
            at = min(i, size - LANES)
            store(numbers, to + at, to_f32(to_i32(load(pixels, picture * size + at, LANES))))
