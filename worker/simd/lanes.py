"""SIMD for Numba kernels: values that hold many numbers, lowered to LLVM's generic vectors.

Numba vectorises plain loops, but not the loops of this detector (bytes that become floats, dependent
conversions, filters that should stay in registers). Here a kernel says itself what stays in a register:

    row = load(pixels, at, 16)           # sixteen bytes as one value
    total += to_f32(row) * splat(weight, 16)
    store(out, at, total)

LLVM maps the vectors to whatever the processor has: 16 floats are one AVX-512 register, two of AVX2, four of
SSE or NEON. Lengths are literals. Arrays are one-dimensional and
contiguous; like a loop in nopython mode, nothing checks bounds.
"""

# ruff: noqa: PLR0917 -- kernels take arrays and where in them; a call of theirs has no keywords

# mypy: allow-untyped-calls, allow-untyped-decorators
# numba has few types

import operator
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

IR_TYPES: dict[Any, ir.Type] = {
    types.boolean: ir.IntType(1),
    types.uint8: ir.IntType(8),
    types.int16: ir.IntType(16),
    types.int32: ir.IntType(32),
    types.float32: ir.FloatType(),
}


class Lanes(types.Type):
    """`length` numbers of one type in one register, or as many as it takes."""

    def __init__(self, element: Any, length: int) -> None:
        self.element = element
        self.length = length
        super().__init__(name=f"Lanes({element}, {length})")

    @property
    def ir_type(self) -> ir.VectorType:
        """The type in LLVM."""
        return ir.VectorType(IR_TYPES[self.element], self.length)


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):
    """A value of this type is LLVM's vector itself."""

    def __init__(self, dmm: Any, fe_type: Lanes) -> None:
        super().__init__(dmm, fe_type, fe_type.ir_type)


def operation(typer: Callable[..., Any]) -> Any:
    """Make a function for kernels of one that returns, for the arguments' types, signature and LLVM code."""
    return intrinsic(prefer_literal=True)(typer)


def call_llvm(builder: ir.IRBuilder, name: str, result: ir.Type, *args: ir.Value) -> ir.Value:
    """Call one of LLVM's own functions."""
    function = ir.FunctionType(result, [arg.type for arg in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, function, name), args)


def fused(builder: ir.IRBuilder, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
    """Return a * b + c of vectors of float32, fused where the processor has an instruction for it."""
    return call_llvm(builder, f"llvm.fmuladd.v{a.type.count}f32", a.type, a, b, c)


def _is_float(lanes: Lanes) -> bool:
    return bool(lanes.element == types.float32)


def broadcast(builder: ir.IRBuilder, value: ir.Value, length: int) -> ir.Value:
    """Return a vector whose every element is `value`."""
    vector = ir.VectorType(value.type, length)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.IntType(32)(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), length), [0] * length)
    return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), zeros)


def _binary(op: Any, floating: str | None, integer: str | None, compare: str | None = None) -> None:
    """Give two equal vector types a Python operator."""

    @infer_global(op)
    class Operator(AbstractTemplate):
        def generic(self, args: tuple[Any, ...], kws: dict[str, Any]) -> Any:
            del kws
            if len(args) != 2 or not isinstance(args[0], Lanes) or args[0] != args[1]:
                return None
            result = Lanes(types.boolean, args[0].length) if compare else args[0]
            return signature(result, *args)

    @lower_builtin(op, Lanes, Lanes)
    def lower(_context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> ir.Value:
        if compare:
            ordered = builder.fcmp_ordered if _is_float(sig.args[0]) else builder.icmp_signed
            return ordered(compare, *args)
        return getattr(builder, floating if floating and _is_float(sig.args[0]) else integer or "")(*args)


_binary(operator.add, "fadd", "add")
_binary(operator.sub, "fsub", "sub")
_binary(operator.mul, "fmul", "mul")
_binary(operator.truediv, "fdiv", None)
_binary(operator.and_, None, "and_")
_binary(operator.xor, None, "xor")
_binary(operator.lt, None, None, "<")
_binary(operator.gt, None, None, ">")
_binary(operator.iadd, "fadd", "add")


def address(context: Any, builder: ir.IRBuilder, array_type: Any, array: Any, at: ir.Value) -> ir.Value:
    """Return a pointer to element `at` of an array."""
    return builder.gep(context.make_array(array_type)(context, builder, array).data, [at])


def _pointer(context: Any, builder: ir.IRBuilder, array_type: Any, array: Any, at: Any, vector: Any) -> Any:
    return builder.bitcast(address(context, builder, array_type, array, at), ir.PointerType(vector))


@operation
def load(_typing: Any, array: Any, at: Any, length: Any) -> Any:
    """Return `length` consecutive elements of an array, from element `at` on."""
    lanes = Lanes(array.dtype, length.literal_value)

    def codegen(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        at64 = context.cast(builder, args[1], sig.args[1], types.intp)
        pointer = _pointer(context, builder, sig.args[0], args[0], at64, lanes.ir_type)
        return builder.load(pointer, align=sig.args[0].dtype.bitwidth // 8)

    return lanes(array, at, length), codegen


@operation
def store(_typing: Any, array: Any, at: Any, value: Any) -> Any:
    """Write a vector to consecutive elements of an array of the same type, from element `at` on."""

    def codegen(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        at64 = context.cast(builder, args[1], sig.args[1], types.intp)
        pointer = _pointer(context, builder, sig.args[0], args[0], at64, value.ir_type)
        builder.store(args[2], pointer, align=sig.args[0].dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, at, value), codegen


@operation
def splat(_typing: Any, value: Any, length: Any) -> Any:
    """Return a vector whose every element is `value`; the scalar's type is the vector's."""
    element = types.unliteral(value)

    def codegen(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        scalar = context.cast(builder, args[0], sig.args[0], element)
        return broadcast(builder, scalar, length.literal_value)

    return Lanes(element, length.literal_value)(value, length), codegen


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
    """Return the same bits as twice as many 16-bit numbers, low half first."""
    result = Lanes(types.int16, value.length * 2)

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        return builder.bitcast(args[0], result.ir_type)

    return result(value), codegen


@operation
def as_i32(_typing: Any, value: Any) -> Any:
    """Return the same bits as half as many 32-bit numbers."""
    result = Lanes(types.int32, value.length // 2)

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
def multiply_high(_typing: Any, a: Any, factor: Any) -> Any:
    """Return the upper 16 of the 32 bits of each unsigned 16-bit number times a literal factor below 65536."""

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        wide = ir.VectorType(ir.IntType(32), a.length)
        product = builder.mul(
            builder.zext(args[0], wide), ir.Constant(wide, [factor.literal_value] * a.length)
        )
        return builder.trunc(builder.lshr(product, ir.Constant(wide, [16] * a.length)), a.ir_type)

    return a(a, factor), codegen


@operation
def shift_right(_typing: Any, a: Any, bits: Any) -> Any:
    """Shift each integer to the right by a literal number of bits; zeros come in."""

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        return builder.lshr(args[0], ir.Constant(a.ir_type, [bits.literal_value] * a.length))

    return a(a, bits), codegen


@operation
def shift_left(_typing: Any, a: Any, bits: Any) -> Any:
    """Shift each integer to the left by a literal number of bits."""

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        return builder.shl(args[0], ir.Constant(a.ir_type, [bits.literal_value] * a.length))

    return a(a, bits), codegen


@operation
def any_set(_typing: Any, mask: Any) -> Any:
    """Tell whether any element of a mask is set."""

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], ir.IntType(mask.length))
        return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))

    return types.boolean(mask), codegen
