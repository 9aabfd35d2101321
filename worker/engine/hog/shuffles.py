"""Moving numbers between the elements of vectors, and the operations that do so on their way.

`pick` and `dot_pairs` are single instructions of most processors that LLVM does not always recognize in generic
code, so these are named for the processors that have them; others get the generic code.
"""

# mypy: allow-untyped-calls
# numba has few types

from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import types

from worker.engine.hog.lanes import Lanes, call_llvm, operation


def _constant(lanes: Lanes, numbers: list[int]) -> ir.Constant:
    return ir.Constant(lanes.ir_type, numbers)


def _numbers(builder: ir.IRBuilder, vector: ir.Value, order: list[int]) -> ir.Value:
    return builder.shuffle_vector(vector, vector, _constant(Lanes(types.int32, len(order)), order))


@operation
def interleave(_typing: Any, a: Any, b: Any) -> Any:
    """Return a0 b0 a1 b1 ..., twice as long."""
    result = Lanes(a.element, a.length * 2)

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        order = [i // 2 + (i % 2) * a.length for i in range(2 * a.length)]
        return builder.shuffle_vector(*args, _constant(Lanes(types.int32, 2 * a.length), order))

    return result(a, b), codegen


@operation
def every(_typing: Any, a: Any, step: Any, first: Any) -> Any:
    """Return the elements first, first + step, first + 2 * step, ..."""
    order = list(range(first.literal_value, a.length, step.literal_value))
    result = Lanes(a.element, len(order))

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        positions = _constant(Lanes(types.int32, len(order)), order)
        return builder.shuffle_vector(args[0], args[0], positions)

    return result(a, step, first), codegen


@operation
def part(_typing: Any, a: Any, first: Any, length: Any) -> Any:
    """Return `length` consecutive elements from `first` on."""
    result = Lanes(a.element, length.literal_value)

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        order = [first.literal_value + i for i in range(result.length)]
        return builder.shuffle_vector(args[0], args[0], _constant(Lanes(types.int32, result.length), order))

    return result(a, first, length), codegen


@operation
def pick(_typing: Any, source: Any, positions: Any) -> Any:
    """Return source[positions[i]] for each i; both hold 32 bytes, positions are below 32.

    The one operation for which LLVM has no generic form. Each processor's own is used where it is known.
    """

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        features = llvm.get_host_cpu_features()
        if features.get("avx512vbmi") and features.get("avx512vl"):
            return call_llvm(builder, "llvm.x86.avx512.permvar.qi.256", positions.ir_type, *args)
        if features.get("avx2"):
            return _pick_avx2(builder, *args)
        if llvm.get_process_triple().startswith("aarch64"):
            return _pick_neon(builder, *args)
        return _pick_singly(builder, *args)

    return positions(source, positions), codegen


def _pick_avx2(builder: ir.IRBuilder, source: ir.Value, positions: ir.Value) -> ir.Value:
    """Two permutations of 16 bytes, each by a position's low four bits."""
    halves = [_numbers(builder, source, [*half, *half]) for half in (range(16), range(16, 32))]
    low, high = (call_llvm(builder, "llvm.x86.avx2.pshuf.b", source.type, half, positions) for half in halves)
    return builder.select(
        builder.icmp_unsigned("<", positions, ir.Constant(source.type, [16] * 32)), low, high
    )


def _pick_neon(builder: ir.IRBuilder, source: ir.Value, positions: ir.Value) -> ir.Value:
    """A look-up of 16 bytes at a time in a table of two registers."""
    halves = [list(range(16)), list(range(16, 32))]
    table = [_numbers(builder, source, half) for half in halves]
    name, result = "llvm.aarch64.neon.tbl2.v16i8", table[0].type
    made = [call_llvm(builder, name, result, *table, _numbers(builder, positions, half)) for half in halves]
    return builder.shuffle_vector(*made, _constant(Lanes(types.int32, 32), list(range(32))))


def _pick_singly(builder: ir.IRBuilder, source: ir.Value, positions: ir.Value) -> ir.Value:
    result = ir.Constant(positions.type, ir.Undefined)
    for i in range(positions.type.count):
        at = builder.extract_element(positions, ir.IntType(32)(i))
        result = builder.insert_element(result, builder.extract_element(source, at), ir.IntType(32)(i))
    return result


@operation
def dot_pairs(_typing: Any, a: Any, b: Any) -> Any:
    """Return a0*b0 + a1*b1, a2*b2 + a3*b3, ... of 16-bit numbers, as 32-bit numbers, half as many."""
    result = Lanes(types.int32, a.length // 2)

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        features = llvm.get_host_cpu_features()
        if a.length == 32 and features.get("avx512bw"):
            return call_llvm(builder, "llvm.x86.avx512.pmaddw.d.512", result.ir_type, *args)
        if a.length == 32 and features.get("avx2"):
            halves = [[_numbers(builder, x, list(half)) for x in args] for half in (range(16), range(16, 32))]
            eight = ir.VectorType(ir.IntType(32), 8)
            made = [call_llvm(builder, "llvm.x86.avx2.pmadd.wd", eight, *half) for half in halves]
            return builder.shuffle_vector(*made, _constant(Lanes(types.int32, 16), list(range(16))))
        evens, odds = list(range(0, a.length, 2)), list(range(1, a.length, 2))
        products = [
            builder.mul(*(builder.sext(_numbers(builder, x, order), result.ir_type) for x in args))
            for order in (evens, odds)
        ]
        return builder.add(*products)

    return result(a, b), codegen


@operation
def total(_typing: Any, a: Any) -> Any:
    """Return the sum of sixteen floats, by halves."""

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        value, length = args[0], a.length
        while length > 1:
            length //= 2
            low, high = (
                _numbers(builder, value, list(half)) for half in (range(length), range(length, 2 * length))
            )
            value = builder.fadd(low, high)
        return builder.extract_element(value, ir.IntType(32)(0))

    return a.element(a), codegen
