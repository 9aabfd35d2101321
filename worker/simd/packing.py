"""Bytes that become words, and words that become bytes, within each 16 bytes of a vector.

That is how most processors do it, in one instruction; across a whole vector it takes two more. `low_pairs` and
`high_pairs` leave the elements in another order for that, and `pack` gives them their first order back.
"""

# mypy: allow-untyped-calls
# numba has few types

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir
from numba.core import types

from worker.simd.lanes import Lanes, call_llvm, operation
from worker.simd.processor import compiles_for
from worker.simd.shuffles import chosen, every_other, join, pieces_of

REGISTERS = (("avx2", 32, "llvm.x86.avx2.{}"), ("ssse3", 16, "llvm.x86.{}.128"))
"""A feature of processors, bytes in a register that has it, how LLVM names what works on these."""
PACK = {types.int32: ("packssdw", "sse2.packssdw"), types.int16: ("packsswb", "sse2.packsswb")}


def _named(builder: ir.IRBuilder, names: Sequence[str], kind: ir.Type, args: Sequence[ir.Value]) -> Any:
    """Call an instruction by its names for wide registers and for narrow ones; None where there is none.

    kind: one element of the result, which has as many bytes as an argument.
    """
    for (feature, size, pattern), name in zip(REGISTERS, names, strict=True):
        if not compiles_for(feature):
            continue
        counts = [size * 8 // arg.type.element.width for arg in args]
        if any(arg.type.count % count for arg, count in zip(args, counts, strict=True)):
            continue
        result = ir.VectorType(kind, size * 8 // kind.width)
        parts = zip(
            *(pieces_of(builder, arg, count) for arg, count in zip(args, counts, strict=True)), strict=True
        )
        return join(builder, [call_llvm(builder, pattern.format(name), result, *part) for part in parts])
    return None


def _pairs(name: str, *, upper: bool) -> Any:
    """Make a function that returns a0 b0 a1 b1 ... of the lower or upper half of each 16 bytes."""

    def typer(_typing: Any, a: Any, b: Any) -> Any:
        lane = 128 // a.element.bitwidth
        half = lane // 2
        order = [
            start + upper * half + i // 2 + i % 2 * a.length
            for start in range(0, a.length, lane)
            for i in range(lane)
        ]

        def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
            positions = ir.Constant(ir.VectorType(ir.IntType(32), a.length), order)
            return builder.shuffle_vector(*args, positions)

        return a(a, b), codegen

    typer.__name__ = typer.__qualname__ = name
    return operation(typer)


low_pairs = _pairs("low_pairs", upper=False)
high_pairs = _pairs("high_pairs", upper=True)


@operation
def pack(_typing: Any, a: Any, b: Any) -> Any:
    """Return the elements with half as many bits each: of each 16 bytes first those of `a`, then those of `b`.

    Numbers of 32 bits become int16, those of 16 bits bytes; they must fit, with their sign.
    """
    result = Lanes(types.int16 if a.element == types.int32 else types.uint8, a.length * 2)

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        kind = result.ir_type.element
        if (made := _named(builder, PACK[a.element], kind, args)) is not None:
            return made
        lane = 128 // a.element.bitwidth
        order = [
            start + i + side * a.length
            for start in range(0, a.length, lane)
            for side in (0, 1)
            for i in range(lane)
        ]
        positions = ir.Constant(ir.VectorType(ir.IntType(32), result.length), order)
        return builder.trunc(builder.shuffle_vector(*args, positions), result.ir_type)

    return result(a, b), codegen


@operation
def dot_bytes(_typing: Any, a: Any, first: Any, second: Any) -> Any:
    """Return a0 * first + a1 * second, a2 * first + a3 * second, ... of bytes, as 16-bit numbers, half as many.

    The literal factors are -128 to 127, and so small that 16 bits hold every sum.
    """
    result = Lanes(types.int16, a.length // 2)

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        factors = [first.literal_value, second.literal_value]
        repeated = ir.Constant(a.ir_type, [factor & 255 for factor in factors * result.length])
        made = _named(builder, ("pmadd.ub.sw", "ssse3.pmadd.ub.sw"), ir.IntType(16), (args[0], repeated))
        if made is not None:
            return made
        products = [
            builder.mul(
                builder.zext(chosen(builder, args[0], order), result.ir_type),
                ir.Constant(result.ir_type, [factor] * result.length),
            )
            for order, factor in zip(every_other(a.length), factors, strict=True)
        ]
        return builder.add(*products)

    return result(a, first, second), codegen


@operation
def excess(_typing: Any, a: Any, b: Any) -> Any:
    """Return by how much each byte of `a` is larger than that of `b`, else 0."""

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        return call_llvm(builder, f"llvm.usub.sat.v{a.length}i8", a.ir_type, *args)

    return a(a, b), codegen
