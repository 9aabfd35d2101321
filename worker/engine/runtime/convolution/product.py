"""The product that all convolutions come down to: eight rows times a panel of filters, summed in registers."""

# ruff: noqa: PLR0917 -- kernels take arrays and where in them; a call of theirs has no keywords

# mypy: allow-untyped-calls, allow-untyped-decorators
# numba has few types

from __future__ import annotations

from itertools import product as pairs
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types

from worker.simd.kernel import Floats, kernel
from worker.simd.lanes import Lanes, address, broadcast, fused, operation
from worker.simd.processor import compiles_for

LANES = 16
ROWS = 8
HALF = 4

PANELS = (32, 48, 16)
"""How many filters a panel may have. The sums of 8 x 48 and what is added to them fill AVX-512's 32 registers."""

VECTOR = Lanes(types.float32, LANES).ir_type


@kernel
def multiply(
    count: int,
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
    """Write the sums of products of `count` rows, up to ROWS, and a panel's filters to `out`, from `to` on.

    The sums of row r begin at to + r * width; those of more rows may be written, too. A row consists of `runs` runs
    of `run` numbers each; run i of row r begins at at + r * row_step + i * run_step of `rows`. `panel` holds, from
    `begin` on, `width` weights (one of PANELS) for each number of a row.
    """
    if width == 32:
        if count > HALF:
            _product(ROWS, 32, rows, at, row_step, runs, run_step, run, panel, begin, out, to)
        else:
            _product(HALF, 32, rows, at, row_step, runs, run_step, run, panel, begin, out, to)
    elif width == 48:
        _product(ROWS, 48, rows, at, row_step, runs, run_step, run, panel, begin, out, to)
    else:
        _product(ROWS, 16, rows, at, row_step, runs, run_step, run, panel, begin, out, to)


@operation
def _product(
    _typing: Any,
    count: Any,
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
    blocks = _blocks(count.literal_value, filters)

    def codegen(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        def whole(i: int) -> ir.Value:
            return context.cast(builder, args[i], sig.args[i], types.intp)

        def element(i: int, index: ir.Value) -> ir.Value:
            return address(context, builder, sig.args[i], args[i], index)

        def vector(i: int, index: ir.Value) -> ir.Value:
            return builder.bitcast(element(i, index), ir.PointerType(VECTOR))

        at, row_step, run_step, run, begin, to = (whole(i) for i in (3, 4, 6, 7, 9, 11))
        for block_rows, block_lanes in blocks:
            # written as variables in memory, which LLVM keeps in registers over both loops
            sums = {key: cgutils.alloca_once(builder, VECTOR) for key in pairs(block_rows, block_lanes)}
            for place in sums.values():
                builder.store(ir.Constant(VECTOR, [0.0] * LANES), place)
            with cgutils.for_range(builder, whole(5)) as outer:
                row = builder.add(at, builder.mul(outer.index, run_step))
                weight = builder.add(begin, builder.mul(builder.mul(outer.index, run), at.type(filters)))
                with cgutils.for_range(builder, run) as inner:
                    k = builder.add(weight, builder.mul(inner.index, at.type(filters)))
                    weights = {
                        lane: builder.load(vector(8, builder.add(k, at.type(lane))), align=4)
                        for lane in block_lanes
                    }
                    number = builder.add(row, inner.index)
                    for r in block_rows:
                        place = builder.add(number, builder.mul(row_step, at.type(r)))
                        value = broadcast(builder, builder.load(element(2, place)), LANES)
                        for lane in block_lanes:
                            terms = value, weights[lane], builder.load(sums[r, lane])
                            builder.store(fused(builder, *terms), sums[r, lane])
            for (r, lane), place in sums.items():
                target = vector(10, builder.add(to, at.type(r * filters + lane)))
                builder.store(builder.load(place), target, align=4)
        return context.get_dummy_value()

    return types.void(count, width, rows, at, row_step, runs, run_step, run, panel, begin, out, to), codegen


def _blocks(count: int, filters: int) -> list[tuple[range, range]]:
    """Return rows and first filters of vectors for each part whose sums fit the processor's registers."""
    rows, lanes = range(count), range(0, filters, LANES)
    if compiles_for("avx512f"):
        return [(rows, lanes)]
    parts = pairs(range(len(lanes)), range(0, count, HALF))
    return [(rows[first : first + HALF], lanes[i : i + 1]) for i, first in parts]
