"""Operations on the elements of vectors: conversions, selection, and arithmetic beyond Python's operators."""

# mypy: allow-untyped-calls, allow-untyped-decorators
# numba has few types

from typing import Any

from llvmlite import ir
from numba.core import types

from worker.simd.lanes import Lanes, call_llvm, fused, operation


def _conversion(to: Any, name: str) -> Any:
    """Make a function that converts each element: bytes count as unsigned, floats are truncated to integers."""

    def typer(_typing: Any, value: Any) -> Any:
        result = Lanes(to, value.length)

        def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
            source, target = value.element, result.ir_type
            if source == types.float32:
                return builder.fptosi(args[0], target)
            if to == types.float32:
                return builder.sitofp(args[0], target)
            if source.bitwidth > to.bitwidth:
                return builder.trunc(args[0], target)
            return (builder.zext if source == types.uint8 else builder.sext)(args[0], target)

        return result(value), codegen

    typer.__name__ = typer.__qualname__ = name
    return operation(typer)


to_f32 = _conversion(types.float32, "to_f32")
to_i32 = _conversion(types.int32, "to_i32")
to_i16 = _conversion(types.int16, "to_i16")
to_u8 = _conversion(types.uint8, "to_u8")


@operation
def as_i16(_typing: Any, value: Any) -> Any:
    """Return the same bits as 16-bit numbers, the lowest bits first."""
    result = Lanes(types.int16, value.length * value.element.bitwidth // 16)

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        return builder.bitcast(args[0], result.ir_type)

    return result(value), codegen


@operation
def select(_typing: Any, mask: Any, yes: Any, no: Any) -> Any:
    """Return `yes` where the mask is set, else `no`."""

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        return builder.select(*args)

    return yes(mask, yes, no), codegen


@operation
def fma(_typing: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a * b + c, fused where the processor has an instruction for it."""

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        return fused(builder, *args)

    return a(a, b, c), codegen


@operation
def sqrt(_typing: Any, a: Any) -> Any:
    """Return the square root of each element, correctly rounded."""

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        return call_llvm(builder, f"llvm.sqrt.v{a.length}f32", a.ir_type, *args)

    return a(a), codegen


@operation
def minimum(_typing: Any, a: Any, b: Any) -> Any:
    """Return the smaller of each pair of floats (no NaN)."""

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", *args), *args)

    return a(a, b), codegen


@operation
def maximum(_typing: Any, a: Any, b: Any) -> Any:
    """Return the larger of each pair of floats (no NaN)."""

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered(">", *args), *args)

    return a(a, b), codegen


@operation
def shift_right(_typing: Any, a: Any, bits: Any) -> Any:
    """Shift each integer to the right by a literal number of bits; zeros come in."""

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        return builder.lshr(args[0], ir.Constant(a.ir_type, [bits.literal_value] * a.length))

    return a(a, bits), codegen


@operation
def any_set(_typing: Any, mask: Any) -> Any:
    """Tell whether any element of a mask is set."""

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], ir.IntType(mask.length))
        return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))

    return types.boolean(mask), codegen
