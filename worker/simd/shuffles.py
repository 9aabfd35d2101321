"""Moving numbers between the elements of vectors, and the operations that do so on their way.

`pick` and `dot_pairs` are single instructions of most processors that LLVM does not always recognize in generic
code, so these are named for the processors that have them; others get the generic code.
"""

# ruff: noqa: PLR0917 -- kernels take arrays and where in them; a call of theirs has no keywords

# mypy: allow-untyped-calls
# numba has few types

from collections.abc import Sequence
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba.core import types

from worker.simd.lanes import Lanes, address, call_llvm, operation
from worker.simd.processor import compiles_for

MULTIPLY_ADD = (
    ("avx512bw", 32, "llvm.x86.avx512.pmaddw.d.512"),
    ("avx2", 16, "llvm.x86.avx2.pmadd.wd"),
    ("sse2", 8, "llvm.x86.sse2.pmadd.wd"),
)  # feature, numbers in a register, LLVM's name
PICK = np.int32(-0x7F7F8000)  # 0x80808000


def _constant(lanes: Lanes, numbers: list[int]) -> ir.Constant:
    return ir.Constant(lanes.ir_type, numbers)


def chosen(builder: ir.IRBuilder, vector: ir.Value, order: Sequence[int]) -> ir.Value:
    """Return these elements of a vector."""
    return builder.shuffle_vector(vector, vector, _constant(Lanes(types.int32, len(order)), list(order)))


def halves(builder: ir.IRBuilder, vector: ir.Value, *orders: Sequence[int]) -> list[ir.Value]:
    """Return a vector's elements as two vectors, or more, of these elements each."""
    return [chosen(builder, vector, order) for order in orders]


def sum_of(builder: ir.IRBuilder, vector: ir.Value) -> ir.Value:
    """Return the sum of 2, 4, 8, ... floats, by halves."""
    length = vector.type.count
    while length > 1:
        length //= 2
        vector = builder.fadd(*halves(builder, vector, range(length), range(length, 2 * length)))
    return builder.extract_element(vector, ir.IntType(32)(0))


def every_other(count: int) -> tuple[range, range]:
    """Return the even numbers below `count`, and the odd ones."""
    return range(0, count, 2), range(1, count, 2)


def pieces_of(builder: ir.IRBuilder, vector: ir.Value, length: int) -> list[ir.Value]:
    """Return a vector as vectors of `length` elements."""
    starts = range(0, vector.type.count, length)
    return [chosen(builder, vector, range(start, start + length)) for start in starts]


def join(builder: ir.IRBuilder, pieces: list[ir.Value]) -> ir.Value:
    """Return 1, 2, 4, ... vectors as one."""
    while len(pieces) > 1:
        order = _constant(Lanes(types.int32, 2 * pieces[0].type.count), list(range(2 * pieces[0].type.count)))
        pairs = zip(pieces[::2], pieces[1::2], strict=True)
        pieces = [builder.shuffle_vector(*pair, order) for pair in pairs]
    return pieces[0]


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
    """Return source[p] as 32-bit number for each p of `positions`, which are p + PICK; p is below 16.

    The source is 16 bytes. The one operation for which LLVM has no generic form: processors move bytes by bytes,
    and take one whose upper bit is set for a zero, which PICK makes of a position's three others.
    """
    result = Lanes(types.int32, positions.length)

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        kind = ir.VectorType(ir.IntType(8), 4 * positions.length)
        places = builder.bitcast(args[1], kind)
        for name, width in _permutations():
            table = chosen(builder, args[0], list(range(16)) * (width // 16))
            made = [
                call_llvm(builder, name, table.type, table, piece)
                for piece in pieces_of(builder, places, width)
            ]
            return builder.bitcast(join(builder, made), result.ir_type)
        return _pick_singly(builder, args[0], args[1], result)

    return result(source, positions), codegen


def _permutations() -> list[tuple[str, int]]:
    """LLVM's name for the processor's permutation of bytes, and how many it moves, if there is one."""
    if compiles_for("avx2"):
        return [("llvm.x86.avx2.pshuf.b", 32)]
    if compiles_for("ssse3"):
        return [("llvm.x86.ssse3.pshuf.b.128", 16)]
    if llvm.get_process_triple().startswith("aarch64"):
        return [("llvm.aarch64.neon.tbl1.v16i8", 16)]
    return []


def _pick_singly(builder: ir.IRBuilder, source: ir.Value, positions: ir.Value, result: Lanes) -> ir.Value:
    made = ir.Constant(result.ir_type, ir.Undefined)
    for i in range(result.length):
        at = builder.and_(builder.extract_element(positions, ir.IntType(32)(i)), ir.IntType(32)(15))
        byte = builder.zext(builder.extract_element(source, at), ir.IntType(32))
        made = builder.insert_element(made, byte, ir.IntType(32)(i))
    return made


@operation
def dot_pairs(_typing: Any, a: Any, b: Any) -> Any:
    """Return a0*b0 + a1*b1, a2*b2 + a3*b3, ... of 16-bit numbers, as 32-bit numbers, half as many."""
    result = Lanes(types.int32, a.length // 2)

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        for feature, width, name in MULTIPLY_ADD:
            if compiles_for(feature) and a.length % width == 0:
                kind = ir.VectorType(ir.IntType(32), width // 2)
                pieces = zip(*(pieces_of(builder, x, width) for x in args), strict=True)
                return join(builder, [call_llvm(builder, name, kind, *piece) for piece in pieces])
        products = [
            builder.mul(*(builder.sext(chosen(builder, x, order), result.ir_type) for x in args))
            for order in every_other(a.length)
        ]
        return builder.add(*products)

    return result(a, b), codegen


@operation
def total(_typing: Any, a: Any) -> Any:
    """Return the sum of sixteen floats, by halves."""

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        return sum_of(builder, args[0])

    return a.element(a), codegen


@operation
def totals(_typing: Any, a: Any, b: Any, c: Any, d: Any, e: Any) -> Any:
    """Return the sums of five vectors of 8, 16, ... floats, and three zeros.

    Two vectors are added up to one, within each 16 bytes as long as that goes.
    """
    result = Lanes(a.element, 8)

    def codegen(_context: Any, builder: ir.IRBuilder, _sig: Any, args: Any) -> Any:
        def joined(vectors: list[ir.Value], low: list[int], high: list[int]) -> list[ir.Value]:
            pairs = zip(vectors[::2], vectors[1::2], strict=True)
            orders = [_constant(Lanes(types.int32, 8), order) for order in (low, high)]
            return [
                builder.fadd(*(builder.shuffle_vector(*pair, order) for order in orders)) for pair in pairs
            ]

        vectors = [_folded(builder, vector) for vector in args]
        vectors += [_constant(result, [0] * 8)] * 3
        vectors = joined(vectors, [0, 8, 1, 9, 4, 12, 5, 13], [2, 10, 3, 11, 6, 14, 7, 15])
        vectors = joined(vectors, [0, 1, 8, 9, 4, 5, 12, 13], [2, 3, 10, 11, 6, 7, 14, 15])
        return joined(vectors, [0, 1, 2, 3, 8, 9, 10, 11], [4, 5, 6, 7, 12, 13, 14, 15])[0]

    return result(a, b, c, d, e), codegen


def _folded(builder: ir.IRBuilder, vector: ir.Value) -> ir.Value:
    """Return eight floats with the same sum."""
    while (half := vector.type.count // 2) >= 8:
        vector = builder.fadd(*halves(builder, vector, range(half), range(half, 2 * half)))
    return vector


@operation
def transpose(_typing: Any, source: Any, at: Any, step: Any, out: Any, to: Any, out_step: Any) -> Any:
    """Write 8 x 8 floats of an array, whose rows are `step` apart, to another, with rows and columns exchanged."""

    def codegen(context: Any, builder: ir.IRBuilder, sig: Any, args: Any) -> Any:
        kind = ir.VectorType(ir.FloatType(), 8).as_pointer()

        def place(array: int, number: int) -> ir.Value:
            first, step = (
                context.cast(builder, args[k], sig.args[k], types.intp) for k in (array + 1, array + 2)
            )
            index = builder.add(first, builder.mul(step, step.type(number)))
            return builder.bitcast(address(context, builder, sig.args[array], args[array], index), kind)

        rows = [builder.load(place(0, i), align=4) for i in range(8)]
        for size in (1, 2, 4):
            low = [j if not j & size else j - size + 8 for j in range(8)]
            high = [j + size if not j & size else j + 8 for j in range(8)]
            for i in range(8):
                if not i & size:
                    pair = rows[i], rows[i + size]
                    rows[i], rows[i + size] = (
                        builder.shuffle_vector(*pair, _constant(Lanes(types.int32, 8), order))
                        for order in (low, high)
                    )
        for i, row in enumerate(rows):
            builder.store(row, place(3, i), align=4)
        return context.get_dummy_value()

    return types.void(source, at, step, out, to, out_step), codegen
