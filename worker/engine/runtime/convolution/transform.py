"""The transforms of tiles that Winograd's filtering needs, as straight code for each of their matrices."""

# ruff: noqa: PLR0917 -- kernels take arrays and where in them; a call of theirs has no keywords

# mypy: allow-untyped-calls, allow-untyped-decorators
# numba has few types

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from llvmlite import ir
from numba.core import types

from worker.engine.runtime.convolution.product import LANES, VECTOR
from worker.engine.runtime.convolution.toom_cook import filtering
from worker.simd.kernel import Floats, kernel
from worker.simd.lanes import address, fused, operation

KINDS = ((2, 3), (4, 3), (6, 3), (2, 5), (4, 5))
"""The filterings F(m, r) that kernels have the transforms of; a step names one by its place here."""

APART = LANES
"""Numbers between the elements of transformed tiles: at distances of powers of two all of them would compete for
the same lines of the processor's cache."""

_FILTERINGS = [filtering(m, r) for m, r in KINDS]
_INPUTS, _RESULTS = ([getattr(one, name).tolist() for one in _FILTERINGS] for name in ("inputs", "results"))


@kernel
def spread(
    points: int,
    source: Floats,
    at: int,
    row: int,
    pixel: int,
    channels: int,
    room: Floats,
    inputs: Floats,
    to: int,
    plane: int,
) -> None:
    """Transform a tile of inputs, first along y, then along x.

    Element (i, j) of channel c goes to inputs[to + (i * points + j) * plane + c]. `row` and `pixel` are the
    distances of a tile's rows and columns in `source`.
    """
    for c in range(0, channels, LANES):
        for x in range(points):
            _inputs(points, source, at + x * pixel + c, row, room, x * LANES, points * LANES)
        for y in range(points):
            _inputs(points, room, y * points * LANES, LANES, inputs, to + y * points * plane + c, plane)


@kernel
def gather(kind: int, points: int, results: int, products: Floats, at: int, plane: int, room: Floats) -> None:
    """Transform the products of sixteen filters back to the first results * results vectors of `room`."""
    along_y = results * results * LANES
    for x in range(points):
        to = along_y + x * LANES
        _results(kind, products, at + x * plane, points * plane, room, to, points * LANES)
    for y in range(results):
        at = along_y + y * points * LANES
        _results(kind, room, at, LANES, room, y * results * LANES, LANES)


@kernel
def _inputs(points: int, source: Floats, at: int, step: int, out: Floats, to: int, out_step: int) -> None:
    if points == 4:
        _inputs_of(0, source, at, step, out, to, out_step)
    elif points == 6:
        _inputs_of(1, source, at, step, out, to, out_step)
    else:
        _inputs_of(2, source, at, step, out, to, out_step)


@kernel
def _results(kind: int, source: Floats, at: int, step: int, out: Floats, to: int, out_step: int) -> None:
    if kind == 0:
        _results_of(0, source, at, step, out, to, out_step)
    elif kind == 1:
        _results_of(1, source, at, step, out, to, out_step)
    elif kind == 2:
        _results_of(2, source, at, step, out, to, out_step)
    elif kind == 3:
        _results_of(3, source, at, step, out, to, out_step)
    else:
        _results_of(4, source, at, step, out, to, out_step)


def _transform(matrices: list[list[list[float]]], name: str) -> Any:
    """Make a function for kernels that multiplies vectors with a matrix: number `kind`, a literal, of these.

    Vector j is read from at + j * step of an array, result i written to to + i * out_step of another.
    """

    def typer(
        _typing: Any, kind: Any, source: Any, at: Any, step: Any, out: Any, to: Any, out_step: Any
    ) -> Any:
        matrix = matrices[kind.literal_value]

        def codegen(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
            def place(i: int, number: int) -> ir.Value:
                first, distance = (
                    context.cast(builder, args[k], sig.args[k], types.intp) for k in (i + 1, i + 2)
                )
                index = builder.add(first, builder.mul(distance, distance.type(number)))
                pointer = address(context, builder, sig.args[i], args[i], index)
                return builder.bitcast(pointer, ir.PointerType(VECTOR))

            vectors = [builder.load(place(1, j), align=4) for j in range(len(matrix[0]))]
            for i, value in enumerate(_rows(builder, matrix, vectors)):
                builder.store(value, place(4, i), align=4)
            return context.get_dummy_value()

        return types.void(kind, source, at, step, out, to, out_step), codegen

    typer.__name__ = typer.__qualname__ = name
    return operation(typer)


_inputs_of = _transform(_INPUTS, "_inputs_of")
_results_of = _transform(_RESULTS, "_results_of")


def _rows(
    builder: ir.IRBuilder, matrix: Sequence[Sequence[float]], vectors: Sequence[ir.Value]
) -> list[ir.Value]:
    """Return a matrix times vectors. Two rows that differ only in signs share the sums of both kinds of terms."""
    results: list[ir.Value] = []
    while len(results) < len(matrix):
        row, *others = matrix[len(results) :]
        if others and np.array_equal(np.abs(row), np.abs(others[0])):
            same = [a if a == b else 0.0 for a, b in zip(row, others[0], strict=True)]
            opposite = [a if a != b else 0.0 for a, b in zip(row, others[0], strict=True)]
            first, second = _sum(builder, same, vectors), _sum(builder, opposite, vectors)
            results += [builder.fadd(first, second), builder.fsub(first, second)]
        else:
            results.append(_sum(builder, row, vectors))
    return results


def _sum(builder: ir.IRBuilder, row: Sequence[float], vectors: Sequence[ir.Value]) -> ir.Value:
    """Return the sum of vectors, weighted."""
    terms = [(weight, vector) for weight, vector in zip(row, vectors, strict=True) if weight]
    total = None
    for weight, vector in sorted(terms, key=lambda term: term[0] != 1):  # to begin with a 1 saves a product
        total = _added(builder, total, weight, vector)
    return total


def _added(builder: ir.IRBuilder, total: ir.Value | None, weight: float, vector: ir.Value) -> ir.Value:
    factor = ir.Constant(VECTOR, [weight] * LANES)
    if total is None:
        return vector if weight == 1 else builder.fmul(factor, vector)
    if weight in {1, -1}:
        return (builder.fadd if weight == 1 else builder.fsub)(total, vector)
    return fused(builder, factor, vector, total)
