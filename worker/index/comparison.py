"""Comparing sketches: dot products of a few bits, from which follows which faces cannot be within the tolerance.

All is legal on any processor, where LLVM splits the vectors to its width; only `_Products` asks for instructions
that some lack, and does without them there.
"""

# mypy: allow-untyped-calls, allow-untyped-decorators
# numba has few types

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types

from worker.index.layout import COARSE_UNIT, FINE, FINE_UNIT, LANES, QUADS, TOGETHER
from worker.simd.lanes import broadcast, call_llvm, constant, operation
from worker.simd.memory import (
    BYTES,
    I8,
    I16,
    I32,
    I64,
    INTS,
    SHORTS,
    SIGNED,
    ArrayArgument,
    prefetching,
)
from worker.simd.processor import compiles_for
from worker.simd.shuffles import every_other, halves


@operation
def unpack(_typing: Any, _packed: Any, _start: Any, _levels: Any) -> Any:
    """Write the levels of 16 faces, as bytes, quad by quad: `unpack(packed, start, levels)`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, target = (ArrayArgument(context, builder, signature, arguments, place) for place in (0, 2))
        for pair in range(QUADS // 2):
            both = source.load(I8, 64, 64 * pair, arguments[1])
            target.store(builder.and_(both, constant(I8, 64, 15)), 128 * pair)
            target.store(builder.lshr(both, constant(I8, 64, 4)), 128 * pair + 64)
        return context.get_dummy_value()

    return types.void(BYTES, types.intp, BYTES), generate


def _comparing(together: int) -> Any:
    """Make a function that multiplies the levels of 16 faces with those of `together` queries, from `query` on.

    `compare(levels, terms, at, queries, least, query, dots, marks, row, strip)`: `dots[j * strip + row + i]`
    becomes `levels[i] . queries[64 * j:]` for face i and query j, and bit `j * strip + row + i` of marks tells
    whether that is at least `COARSE_UNIT * terms[at + i] + least[j]`. One load of levels serves all queries: loads
    take most time.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        faces, own, asked, bounds, dots, marks = (
            ArrayArgument(context, builder, signature, arguments, place) for place in (0, 1, 3, 4, 6, 7)
        )
        at, query, row = arguments[2], arguments[5], arguments[8]
        lanes = ir.VectorType(I32, LANES)
        products = [_Products(builder) for _ in range(together)]
        first = builder.mul(query, query.type(4 * QUADS))
        with cgutils.for_range(builder, ir.Constant(first.type, QUADS)) as loop:  # unrolled, it would spill
            levels = faces.load(I8, 64, 0, builder.mul(loop.index, first.type(64)))
            fours = builder.add(first, builder.mul(loop.index, first.type(4)))
            for j, product in enumerate(products):
                four = builder.bitcast(asked.load(I8, 4, 4 * QUADS * j, fours), I32)
                product.add(levels, broadcast(builder, four, LANES))
        terms = builder.sext(own.load(I16, LANES, 0, at), lanes)
        terms = builder.mul(terms, constant(I32, LANES, COARSE_UNIT))
        place = builder.add(builder.mul(query, arguments[9]), row)
        for j, product in enumerate(products):
            total = product.total()
            dots.store(total, 0, place)
            least = builder.extract_element(bounds.load(I32, 1, j, query), I32(0))
            kept = builder.icmp_signed(">=", total, builder.add(terms, broadcast(builder, least, LANES)))
            bits = builder.bitcast(kept, ir.VectorType(I16, 1))
            marks.store(bits, 0, builder.udiv(place, place.type(LANES)))
            place = builder.add(place, arguments[9])
        return context.get_dummy_value()

    def typer(
        _typing: Any,
        _levels: Any,
        _terms: Any,
        _at: Any,
        _queries: Any,
        _least: Any,
        _query: Any,
        _dots: Any,
        _marks: Any,
        _row: Any,
        _strip: Any,
    ) -> Any:
        return types.void(
            BYTES, SHORTS, types.intp, SIGNED, INTS, types.intp, INTS, SHORTS, types.intp, types.intp
        ), generate

    typer.__name__ = typer.__qualname__ = f"compare_{together}"
    return operation(typer)


compare_some = _comparing(TOGETHER)
compare_one = _comparing(1)


@operation
def finer(_typing: Any, _parts: Any, _start: Any, _fine: Any, _at: Any) -> Any:
    """Return what a fine sketch adds to a dot product, less `FINE_UNIT` times its term.

    `finer(parts, start, fine, at)`: byte i of the sketch adds `parts[start + 256 * i + byte]`.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        parts, fine = (ArrayArgument(context, builder, signature, arguments, place) for place in (0, 2))
        term = builder.extract_element(fine.load(I16, 1, FINE // 2, arguments[3], I8), I32(0))
        total = builder.mul(builder.sext(term, I64), I64(-FINE_UNIT))
        for word in range(FINE // 4):
            four = builder.extract_element(fine.load(I32, 1, word, arguments[3], I8), I32(0))
            for byte in range(4):
                value = builder.and_(builder.lshr(four, I32(8 * byte)), I32(255))
                place = builder.add(arguments[1], builder.zext(value, I64))
                part = builder.extract_element(parts.load(I16, 1, 256 * (4 * word + byte), place), I32(0))
                total = builder.add(total, builder.sext(part, I64))
        return total

    return types.int64(SHORTS, types.intp, BYTES, types.intp), generate


@operation
def lowest(_typing: Any, _bits: Any) -> Any:
    """Tell the place of the lowest bit that is set; there must be one."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return call_llvm(builder, "llvm.cttz.i64", I64, *arguments, ir.IntType(1)(1))

    return types.int64(types.uint64), generate


@operation
def prefetch_record(_typing: Any, _array: Any, _start: Any) -> Any:
    """Ask for a fine sketch that is read soon: `prefetch_record(array, start)`."""
    return prefetching(BYTES, 1)


class _Products:
    """The sums of 16 faces' products with one query. Levels are 0..15, a query's -127..127.

    16-bit sums take each every second pair of a face's dimensions: `sketch` sees to it that they hold them.
    """

    def __init__(self, builder: Any) -> None:
        self._builder = builder
        self._short = not compiles_for("avx512vnni")
        self._avx2 = compiles_for("avx2")
        zeros = [constant(I16, 16, 0)] * 2 if self._short else [constant(I32, LANES, 0)]
        self._sums = [cgutils.alloca_once_value(builder, zero) for zero in zeros]

    def add(self, levels: Any, query: Any) -> None:
        """Add the products of four dimensions; `query` has them sixteen times."""
        builder = self._builder
        if not self._short:
            levels = builder.bitcast(levels, query.type)
            name = "llvm.x86.avx512.vpdpbusd.512"
            total = call_llvm(builder, name, query.type, builder.load(self._sums[0]), levels, query)
            builder.store(total, self._sums[0])
            return
        query = builder.bitcast(query, levels.type)
        both = (halves(builder, side, range(32), range(32, 64)) for side in (levels, query))
        for total, some, weights in zip(self._sums, *both, strict=True):
            builder.store(builder.add(builder.load(total), self._pairs(some, weights)), total)

    def total(self) -> Any:
        """Return 16 int32."""
        if not self._short:
            return self._builder.load(self._sums[0])
        sums = [self._neighbours(self._builder.load(half)) for half in self._sums]
        return self._builder.shuffle_vector(*sums, ir.Constant(ir.VectorType(I32, 16), list(range(16))))

    def _pairs(self, levels: Any, query: Any) -> Any:
        """Multiply 32 bytes and add two neighbours; LLVM does not find the one instruction by itself."""
        builder = self._builder
        if self._avx2:
            return call_llvm(builder, "llvm.x86.avx2.pmadd.ub.sw", ir.VectorType(I16, 16), levels, query)
        wide = ir.VectorType(I16, 32)
        products = builder.mul(builder.zext(levels, wide), builder.sext(query, wide))
        return builder.add(*halves(builder, products, *every_other(32)))

    def _neighbours(self, sums: Any) -> Any:
        builder, wide = self._builder, ir.VectorType(I32, 8)
        if self._avx2:
            return call_llvm(builder, "llvm.x86.avx2.pmadd.wd", wide, sums, constant(I16, 16, 1))
        return builder.add(*(builder.sext(half, wide) for half in halves(builder, sums, *every_other(16))))
