"""SIMD for Numba kernels: values that hold many numbers, lowered to LLVM's generic vectors.

Numba vectorises plain loops, but not the loops of this detector (bytes that become floats, dependent
conversions, filters that should stay in registers). Here a kernel says itself what stays in a register:

    row = load(pixels, at, 16)           # sixteen bytes as one value
    total += to_f32(row) * splat(weight, 16)
    store(out, at, total)

LLVM maps the vectors to whatever the processor has: 16 floats are one AVX-512 register, two of AVX2, four of
SSE or NEON. Only `pick` names instructions of a target. Lengths are literals. Arrays are one-dimensional and
contiguous; like a loop in nopython mode, nothing checks bounds.
"""

import operator
from collections.abc import Callable
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.typing.templates import AbstractTemplate, infer_global, signature
from numba.extending import intrinsic, lower_builtin, models, register_model

IR_TYPES = {
    types.boolean: ir.IntType(1),
    types.uint8: ir.IntType(8),
    types.int16: ir.IntType(16),
    types.int32: ir.IntType(32),
    types.float32: ir.FloatType(),
}


class Lanes(types.Type):  # type: ignore[misc]  # numba has no types
    """`length` numbers of one type in one register, or as many as it takes."""

    def __init__(self, element: types.Type, length: int) -> None:
        self.element = element
        self.length = length
        super().__init__(name=f"Lanes({element}, {length})")

    @property
    def ir_type(self) -> ir.VectorType:
        return ir.VectorType(IR_TYPES[self.element], self.length)


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):  # type: ignore[misc]  # numba has no types
    """A value of this type is LLVM's vector itself."""

    def __init__(self, dmm: Any, fe_type: Lanes) -> None:
        super().__init__(dmm, fe_type, fe_type.ir_type)


def _is_float(lanes: Lanes) -> bool:
    return bool(lanes.element == types.float32)


def _constant(lanes: Lanes, numbers: list[int]) -> ir.Constant:
    return ir.Constant(lanes.ir_type, numbers)


def _broadcast(builder: ir.IRBuilder, value: ir.Value, length: int) -> ir.Value:
    vector = ir.VectorType(value.type, length)
    first = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.IntType(32)(0))
    zeros = ir.Constant(ir.VectorType(ir.IntType(32), length), [0] * length)
    return builder.shuffle_vector(first, ir.Constant(vector, ir.Undefined), zeros)


def _binary(
    op: Callable[..., Any], floating: str | None, integer: str | None, compare: str | None = None
) -> None:
    """Give two equal vector types a Python operator."""

    @infer_global(op)
    class Operator(AbstractTemplate):  # type: ignore[misc]  # numba has no types
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
for _plain, _inplace in (
    (operator.add, operator.iadd),
    (operator.sub, operator.isub),
    (operator.mul, operator.imul),
):
    _binary(
        _inplace, {operator.add: "fadd", operator.sub: "fsub", operator.mul: "fmul"}[_plain], _plain.__name__
    )


def _pointer(context: Any, builder: ir.IRBuilder, array_type: Any, array: Any, at: Any, vector: Any) -> Any:
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), ir.PointerType(vector))


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]  # numba has no types
def load(_typing: Any, array: Any, at: Any, length: Any) -> Any:
    """Return `length` consecutive elements of an array, from element `at` on."""
    lanes = Lanes(array.dtype, length.literal_value)

    def codegen(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        at64 = context.cast(builder, args[1], sig.args[1], types.intp)
        pointer = _pointer(context, builder, sig.args[0], args[0], at64, lanes.ir_type)
        return builder.load(pointer, align=sig.args[0].dtype.bitwidth // 8)

    return lanes(array, at, length), codegen


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]  # numba has no types
def store(_typing: Any, array: Any, at: Any, value: Any) -> Any:
    """Write a vector to consecutive elements of an array of the same type, from element `at` on."""

    def codegen(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        at64 = context.cast(builder, args[1], sig.args[1], types.intp)
        pointer = _pointer(context, builder, sig.args[0], args[0], at64, value.ir_type)
        builder.store(args[2], pointer, align=sig.args[0].dtype.bitwidth // 8)
        return context.get_dummy_value()

    return types.void(array, at, value), codegen


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]  # numba has no types
def splat(_typing: Any, value: Any, length: Any) -> Any:
    """Return a vector whose every element is `value`; the scalar's type is the vector's."""
    element = types.unliteral(value)

    def codegen(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        scalar = context.cast(builder, args[0], sig.args[0], element)
        return _broadcast(builder, scalar, length.literal_value)

    return Lanes(element, length.literal_value)(value, length), codegen


def _conversion(to: types.Type, name: str) -> Any:
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
    return intrinsic(typer)


to_f32 = _conversion(types.float32, "to_f32")
to_i32 = _conversion(types.int32, "to_i32")
to_i16 = _conversion(types.int16, "to_i16")
to_u8 = _conversion(types.uint8, "to_u8")


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def as_i16(_typing: Any, value: Any) -> Any:
    """Return the same bits as twice as many 16-bit numbers, low half first."""
    result = Lanes(types.int16, value.length * 2)

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        return builder.bitcast(args[0], result.ir_type)

    return result(value), codegen


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def as_i32(_typing: Any, value: Any) -> Any:
    """Return the same bits as half as many 32-bit numbers."""
    result = Lanes(types.int32, value.length // 2)

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        return builder.bitcast(args[0], result.ir_type)

    return result(value), codegen


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def select(_typing: Any, mask: Any, yes: Any, no: Any) -> Any:
    """Return `yes` where the mask is set, else `no`."""

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        return builder.select(*args)

    return yes(mask, yes, no), codegen


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def fma(_typing: Any, a: Any, b: Any, c: Any) -> Any:
    """Return a * b + c, fused where the processor has an instruction for it."""

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        name = f"llvm.fmuladd.v{a.length}f32"
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(a.ir_type, [a.ir_type] * 3), name
        )
        return builder.call(function, args)

    return a(a, b, c), codegen


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def sqrt(_typing: Any, a: Any) -> Any:
    """Return the square root of each element, correctly rounded."""

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        name = f"llvm.sqrt.v{a.length}f32"
        function = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(a.ir_type, [a.ir_type]), name
        )
        return builder.call(function, args)

    return a(a), codegen


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def minimum(_typing: Any, a: Any, b: Any) -> Any:
    """Return the smaller of each pair of floats (no NaN)."""

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<", *args), *args)

    return a(a, b), codegen


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def interleave(_typing: Any, a: Any, b: Any) -> Any:
    """Return a0 b0 a1 b1 ..., twice as long."""
    result = Lanes(a.element, a.length * 2)

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        order = [i // 2 + (i % 2) * a.length for i in range(2 * a.length)]
        return builder.shuffle_vector(*args, _constant(Lanes(types.int32, 2 * a.length), order))

    return result(a, b), codegen


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]  # numba has no types
def every(_typing: Any, a: Any, step: Any, first: Any) -> Any:
    """Return the elements first, first + step, first + 2 * step, ..."""
    order = list(range(first.literal_value, a.length, step.literal_value))
    result = Lanes(a.element, len(order))

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        positions = _constant(Lanes(types.int32, len(order)), order)
        return builder.shuffle_vector(args[0], args[0], positions)

    return result(a, step, first), codegen


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]  # numba has no types
def part(_typing: Any, a: Any, first: Any, length: Any) -> Any:
    """Return `length` consecutive elements from `first` on."""
    result = Lanes(a.element, length.literal_value)

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        order = [first.literal_value + i for i in range(result.length)]
        return builder.shuffle_vector(args[0], args[0], _constant(Lanes(types.int32, result.length), order))

    return result(a, first, length), codegen


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def pick(_typing: Any, source: Any, positions: Any) -> Any:
    """Return source[positions[i]] for each i; both hold 32 bytes, positions are below 32.

    The one operation for which LLVM has no generic form. Each processor's own is used where it is known.
    """

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        features = llvm.get_host_cpu_features()
        if features.get("avx512vbmi") and features.get("avx512vl"):
            return _call(builder, "llvm.x86.avx512.permvar.qi.256", positions.ir_type, *args)
        if features.get("avx2"):
            return _pick_avx2(builder, *args)
        if llvm.get_process_triple().startswith("aarch64"):
            return _pick_neon(builder, *args)
        return _pick_singly(builder, *args)

    return positions(source, positions), codegen


def _call(builder: ir.IRBuilder, name: str, result: ir.Type, *args: ir.Value) -> ir.Value:
    function = ir.FunctionType(result, [arg.type for arg in args])
    return builder.call(cgutils.get_or_insert_function(builder.module, function, name), args)


def _numbers(builder: ir.IRBuilder, vector: ir.Value, order: list[int]) -> ir.Value:
    return builder.shuffle_vector(vector, vector, _constant(Lanes(types.int32, len(order)), order))


def _pick_avx2(builder: ir.IRBuilder, source: ir.Value, positions: ir.Value) -> ir.Value:
    """Two permutations of 16 bytes, each by a position's low four bits."""
    halves = [_numbers(builder, source, [*half, *half]) for half in (range(16), range(16, 32))]
    low, high = (_call(builder, "llvm.x86.avx2.pshuf.b", source.type, half, positions) for half in halves)
    return builder.select(builder.icmp_unsigned("<", positions, ir.Constant(source.type, [16] * 32)), low, high)


def _pick_neon(builder: ir.IRBuilder, source: ir.Value, positions: ir.Value) -> ir.Value:
    """A look-up of 16 bytes at a time in a table of two registers."""
    halves = [list(range(16)), list(range(16, 32))]
    table = [_numbers(builder, source, half) for half in halves]
    name, result = "llvm.aarch64.neon.tbl2.v16i8", table[0].type
    made = [_call(builder, name, result, *table, _numbers(builder, positions, half)) for half in halves]
    return builder.shuffle_vector(*made, _constant(Lanes(types.int32, 32), list(range(32))))


def _pick_singly(builder: ir.IRBuilder, source: ir.Value, positions: ir.Value) -> ir.Value:
    result = ir.Constant(positions.type, ir.Undefined)
    for i in range(positions.type.count):
        at = builder.extract_element(positions, ir.IntType(32)(i))
        result = builder.insert_element(result, builder.extract_element(source, at), ir.IntType(32)(i))
    return result


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def dot_pairs(_typing: Any, a: Any, b: Any) -> Any:
    """Return a0*b0 + a1*b1, a2*b2 + a3*b3, ... of 16-bit numbers, as 32-bit numbers, half as many."""
    result = Lanes(types.int32, a.length // 2)

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        features = llvm.get_host_cpu_features()
        if a.length == 32 and features.get("avx512bw"):
            return _call(builder, "llvm.x86.avx512.pmaddw.d.512", result.ir_type, *args)
        if a.length == 32 and features.get("avx2"):
            halves = [[_numbers(builder, x, list(half)) for x in args] for half in (range(16), range(16, 32))]
            eight = ir.VectorType(ir.IntType(32), 8)
            made = [_call(builder, "llvm.x86.avx2.pmadd.wd", eight, *half) for half in halves]
            return builder.shuffle_vector(*made, _constant(Lanes(types.int32, 16), list(range(16))))
        evens, odds = list(range(0, a.length, 2)), list(range(1, a.length, 2))
        products = [
            builder.mul(*(builder.sext(_numbers(builder, x, order), result.ir_type) for x in args))
            for order in (evens, odds)
        ]
        return builder.add(*products)

    return result(a, b), codegen


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]  # numba has no types
def shift_right(_typing: Any, a: Any, bits: Any) -> Any:
    """Shift each integer to the right by a literal number of bits; zeros come in."""

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        return builder.lshr(args[0], ir.Constant(a.ir_type, [bits.literal_value] * a.length))

    return a(a, bits), codegen


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def total(_typing: Any, a: Any) -> Any:
    """Return the sum of sixteen floats, by halves."""

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        value, length = args[0], a.length
        while length > 1:
            length //= 2
            low, high = (_numbers(builder, value, list(half)) for half in (range(length), range(length, 2 * length)))
            value = builder.fadd(low, high)
        return builder.extract_element(value, ir.IntType(32)(0))

    return a.element(a), codegen


@intrinsic(prefer_literal=True)  # type: ignore[untyped-decorator]  # numba has no types
def shift_left(_typing: Any, a: Any, bits: Any) -> Any:
    """Shift each integer to the left by a literal number of bits."""

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        return builder.shl(args[0], ir.Constant(a.ir_type, [bits.literal_value] * a.length))

    return a(a, bits), codegen


@intrinsic  # type: ignore[untyped-decorator]  # numba has no types
def any_set(_typing: Any, mask: Any) -> Any:
    """Tell whether any element of a mask is set."""

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        bits = builder.bitcast(args[0], ir.IntType(mask.length))
        return builder.icmp_unsigned("!=", bits, ir.Constant(bits.type, 0))

    return types.boolean(mask), codegen
