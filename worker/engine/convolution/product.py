"""The product that all convolutions come down to: eight rows times a panel of filters, summed in registers."""

# ruff: noqa: PLR0917 -- kernels take arrays and where in them; a call of theirs has no keywords

# mypy: allow-untyped-calls, allow-untyped-decorators
# numba has few types

from __future__ import annotations

from itertools import product as pairs
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types

from worker.engine.hog.kernel import Floats, kernel
from worker.engine.hog.lanes import Lanes, address, broadcast, call_llvm, operation
from worker.engine.hog.shuffles import has_feature

LANES = 16
ROWS = 8

PANELS = (32, 48, 16)
"""How many filters a panel may have. The sums of 8 x 48 and what is added to them fill AVX-512's 32 registers."""

VECTOR = Lanes(types.float32, LANES).ir_type


@kernel
def multiply(
    width: int,
    rows: Floats,
    at: int,
    row_step: int,
    runs: int,
    run_step: int,
    run: int,
    panel: Floats,
    begin: int,
    out: Floats,
    to: int,
) -> None:
    """Write ROWS x width sums of products to `out`, from element `to` on.

    Row r consists of `runs` runs of `run` numbers each; run i begins at at + r * row_step + i * run_step of
    `rows`. `panel` holds, from `begin` on, `width` weights (one of PANELS) for each number of a row.
    """
    if width == 32:
        _product(32, rows, at, row_step, runs, run_step, run, panel, begin, out, to)
    elif width == 48:
        _product(48, rows, at, row_step, runs, run_step, run, panel, begin, out, to)
    else:
        _product(16, rows, at, row_step, runs, run_step, run, panel, begin, out, to)


@operation
def _product(
    _typing: Any,
    width: Any,
    rows: Any,
    at: Any,
    row_step: Any,
    runs: Any,
    run_step: Any,
    run: Any,
    panel: Any,
    begin: Any,
    out: Any,
    to: Any,
) -> Any:
    filters = width.literal_value

    def codegen(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        def whole(i: int) -> ir.Value:
            return context.cast(builder, args[i], sig.args[i], types.intp)

        def element(i: int, index: ir.Value) -> ir.Value:
            return address(context, builder, sig.args[i], args[i], index)

        def vector(i: int, index: ir.Value) -> ir.Value:
            return builder.bitcast(element(i, index), ir.PointerType(VECTOR))

        at, row_step, run_step, run, begin, to = (whole(i) for i in (2, 3, 5, 6, 8, 10))
        for block_rows, block_lanes in _blocks(filters):
            sums = {key: cgutils.alloca_once(builder, VECTOR) for key in pairs(block_rows, block_lanes)}
            for place in sums.values():
                builder.store(ir.Constant(VECTOR, [0.0] * LANES), place)
            with cgutils.for_range(builder, whole(4)) as outer:
                row = builder.add(at, builder.mul(outer.index, run_step))
                weight = builder.add(begin, builder.mul(builder.mul(outer.index, run), at.type(filters)))
                with cgutils.for_range(builder, run) as inner:
                    k = builder.add(weight, builder.mul(inner.index, at.type(filters)))
                    weights = {
                        lane: builder.load(vector(7, builder.add(k, at.type(lane))), align=4)
                        for lane in block_lanes
                    }
                    number = builder.add(row, inner.index)
                    for r in block_rows:
                        place = builder.add(number, builder.mul(row_step, at.type(r)))
                        value = broadcast(builder, builder.load(element(1, place)), LANES)
                        for lane in block_lanes:
                            terms = value, weights[lane], builder.load(sums[r, lane])
                            builder.store(fused(builder, *terms), sums[r, lane])
            for (r, lane), place in sums.items():
                target = vector(9, builder.add(to, at.type(r * filters + lane)))
                builder.store(builder.load(place), target, align=4)
        return context.get_dummy_value()

    return types.void(width, rows, at, row_step, runs, run_step, run, panel, begin, out, to), codegen


def fused(builder: ir.IRBuilder, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
    """Return a * b + c, fused where the processor has an instruction for it."""
    return call_llvm(builder, f"llvm.fmuladd.v{LANES}f32", VECTOR, a, b, c)


def _blocks(filters: int) -> list[tuple[range, range]]:
    """Return rows and first filters of vectors for each part whose sums fit the processor's registers."""
    rows, lanes = range(ROWS), range(0, filters, LANES)
    if has_feature("avx512f"):
        return [(rows, lanes)]
    return [
        (rows[first : first + 4], lanes[i : i + 1]) for i in range(len(lanes)) for first in range(0, ROWS, 4)
    ]
