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


def constant(element: ir.Type, length: int, value: float) -> ir.Constant:
    """Return a vector whose every element is a number that is known already."""
    return ir.Constant(ir.VectorType(element, length), [value] * length)


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
_binary(operator.ne, None, None, "!=")
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
