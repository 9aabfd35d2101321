"""One operation for kernels: a pixel between four pixels of a colour picture, in double precision.

Numba makes plain code of three loops over channels, three times slower than vectors of four doubles are; the fourth
one is whatever lies beside a pixel, and is written over by the next one.
"""

# ruff: noqa: PLR0917 -- a call in a kernel has no keywords

# mypy: allow-untyped-calls, allow-untyped-decorators
# numba has few types

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import types

from worker.simd.lanes import operation

INDEX, BYTE, DOUBLE = ir.IntType(32), ir.IntType(8), ir.DoubleType()
INDICES, BYTES, DOUBLES = ir.VectorType(INDEX, 4), ir.VectorType(BYTE, 4), ir.VectorType(DOUBLE, 4)


@operation
def blend(
    _typing: Any, pixels: Any, upper: Any, lower: Any, across: Any, down: Any, target: Any, to: Any
) -> Any:
    """Write `target[to : to + 3]`, and one byte more: a pixel between four of `pixels`, truncated.

    upper, lower: where the left pixels of two rows begin; their right ones follow. across, down: the share, 0 to
    1, of the right ones and of the lower row. Multiplications and additions are dlib's, none of them fused.
    """

    def codegen(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        source, made = (context.make_array(sig.args[k])(context, builder, args[k]).data for k in (0, 5))
        right, left = _shares(builder, args[3])
        below, above = _shares(builder, args[4])
        over, under = (
            _between(builder, _left(builder, source, at), _right(builder, source, at), left, right)
            for at in args[1:3]
        )
        value = _between(builder, over, under, above, below)
        bytes_ = builder.trunc(builder.fptosi(value, INDICES), BYTES)
        builder.store(bytes_, _vector(builder, made, args[6]), align=1)
        return context.get_dummy_value()

    return types.void(pixels, upper, lower, across, down, target, to), codegen


def _vector(builder: ir.IRBuilder, data: ir.Value, at: ir.Value) -> ir.Value:
    return builder.bitcast(builder.gep(data, [at]), BYTES.as_pointer())


def _left(builder: ir.IRBuilder, data: ir.Value, at: ir.Value) -> ir.Value:
    """Return a pixel's three values, and the first one of the pixel to its right."""
    return builder.uitofp(builder.load(_vector(builder, data, at), align=1), DOUBLES)


def _right(builder: ir.IRBuilder, data: ir.Value, at: ir.Value) -> ir.Value:
    """Return the values of the pixel to the right: read from a byte before it, so that none is read behind it."""
    from_before = builder.load(_vector(builder, data, builder.add(at, at.type(2))), align=1)
    order = ir.Constant(INDICES, [1, 2, 3, 3])
    return builder.uitofp(builder.shuffle_vector(from_before, from_before, order), DOUBLES)


def _shares(builder: ir.IRBuilder, share: ir.Value) -> tuple[ir.Value, ir.Value]:
    """Return a share and what it leaves, four times each."""
    return _four(builder, share), _four(builder, builder.fsub(DOUBLE(1), share))


def _four(builder: ir.IRBuilder, value: ir.Value) -> ir.Value:
    first = builder.insert_element(ir.Constant(DOUBLES, ir.Undefined), value, INDEX(0))
    return builder.shuffle_vector(first, first, ir.Constant(INDICES, [0] * 4))


def _between(builder: ir.IRBuilder, a: ir.Value, b: ir.Value, rest: ir.Value, share: ir.Value) -> ir.Value:
    return builder.fadd(builder.fmul(rest, a), builder.fmul(share, b))
