"""Distances between faces, by which the last few are decided."""

# mypy: allow-untyped-calls, allow-untyped-decorators
# numba has few types

from typing import Any

from llvmlite import ir
from numba.core import types

from worker.index.layout import DIMENSIONS
from worker.simd.lanes import call_llvm, constant, operation
from worker.simd.memory import F32, F64, FLOATS, I32, ArrayArgument, prefetching
from worker.simd.shuffles import every_other, halves, sum_of


@operation
def rough(_typing: Any, _a: Any, _a_start: Any, _b: Any, _b_start: Any) -> Any:
    """Sum 128 squared differences in float32, in any order: `rough(a, a_start, b, b_start)`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        left, right = (ArrayArgument(context, builder, signature, arguments, place) for place in (0, 2))
        total = constant(F32, 16, 0.0)
        for step in range(0, 128, 16):
            apart = builder.fsub(
                left.load(F32, 16, step, arguments[1]), right.load(F32, 16, step, arguments[3])
            )
            total = call_llvm(builder, "llvm.fmuladd.v16f32", total.type, apart, apart, total)
        return sum_of(builder, total)

    return types.float32(FLOATS, types.intp, FLOATS, types.intp), generate


@operation
def squared(_typing: Any, _a: Any, _a_start: Any, _b: Any, _b_start: Any) -> Any:
    """Sum 128 squared differences in float64, as NumPy does: `squared(a, a_start, b, b_start)`.

    NumPy's pairwise sum of a row of 128 is eight running sums, element i going to sum i % 8, which then are added
    as ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7)). Every operation is
    rounded by itself, so the result equals NumPy's to the last bit.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        left, right = (ArrayArgument(context, builder, signature, arguments, place) for place in (0, 2))
        wide, total = ir.VectorType(F64, 8), None
        for step in range(0, 128, 8):
            x, y = (
                builder.fpext(side.load(F32, 8, step, place), wide)
                for side, place in ((left, arguments[1]), (right, arguments[3]))
            )
            apart = builder.fsub(x, y)
            square = builder.fmul(apart, apart)
            total = square if total is None else builder.fadd(total, square)
        for count in (8, 4, 2):
            total = builder.fadd(*halves(builder, total, *every_other(count)))
        return builder.extract_element(total, I32(0))

    return types.float64(FLOATS, types.intp, FLOATS, types.intp), generate


@operation
def prefetch_face(_typing: Any, _array: Any, _start: Any) -> Any:
    """Ask for 128 float32 that are read soon: `prefetch_face(array, start)`."""
    return prefetching(FLOATS, DIMENSIONS // 16)
