"""One pass over a block of faces: sketches first, then the few faces that these do not exclude.

The inner steps are LLVM vectors, because Numba's own loops that say the same are several times slower. All are
legal on any processor, where LLVM splits the vectors to its width; only `_dot` asks for an instruction that some
lack, and does without it there. Arrays are flat and C-contiguous, a start counts elements, and nothing checks
bounds: `scan` keeps within them. It is all one file, since Numba's cache only sees changes of the function's own.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

from worker.simd.processor import compiles_for

DIMENSIONS = 128
QUADS = 16  # of a sketch: the dot product takes four dimensions at a time
VECTORS = QUADS // 2 + 3  # of 4 bytes a face: nibbles, two vectors of fifth bits, one of sixth bits
UNIT = 16  # what a face's term counts in
LANES = 16  # faces side by side

ROWS = 1 << 12  # faces of a block
MOST_QUERIES = 64  # of one pass
QUERY_BITS = 12  # a code is query << 12 | row
AHEAD = 16  # faces asked for before they are read
TOGETHER = 4  # queries that share the loads of faces' levels


I8, I32, F32, F64 = ir.IntType(8), ir.IntType(32), ir.FloatType(), ir.DoubleType()

# Numba's own type counts the typing context among the caller's arguments.
_lanes: Callable[[Callable[..., Any]], Callable[..., Any]] = intrinsic

BYTES, SIGNED, SHORTS, INTS, FLOATS = (
    types.Array(kind, 1, "C") for kind in (types.uint8, types.int8, types.int16, types.int32, types.float32)
)


@njit(cache=True, nogil=True)
def scan(  # noqa: PLR0917 - Numba takes positional arguments alone
    count: int,
    sketches: NDArray[np.uint8],
    terms: NDArray[np.int16],
    faces: NDArray[np.float32],
    sketched: NDArray[np.int8],
    least: NDArray[np.int32],
    queries: NDArray[np.float32],
    limit: np.float32,
    surely: np.float32,
    tolerance: float,
    codes: NDArray[np.int32],
) -> NDArray[np.int32]:
    """Find the faces of a block at a distance of at most `tolerance` from each query.

    All arrays are flat and C-contiguous. `codes` is scratch of `ROWS * queries + LANES + AHEAD`.
    Returns query << 12 | row.

    A float32 sum of squares beyond `limit` excludes, one below `surely` is within the tolerance, and what lies
    between is summed again in float64. Each of the 128 terms has two roundings or three, and the sum 127 more at
    most, so it is within 131 * 2^-24 < 1e-5 of the true one, relatively.
    """
    levels = np.empty(QUADS * LANES * 4, np.uint8)
    left = 0
    for row in range(0, count, LANES):
        unpack(sketches, row * VECTORS * 4, levels)
        query = 0
        while query + TOGETHER <= len(least):
            left = survivors_of_some(levels, terms, row, sketched, query, least, codes, left)
            query += TOGETHER
        while query < len(least):
            left = survivors_of_one(levels, terms, row, sketched, query, least, codes, left)
            query += 1
    codes[left : left + AHEAD] = 0
    close = 0
    for i in range(left):
        prefetch(faces, (codes[i + AHEAD] & ROWS - 1) * DIMENSIONS)
        code = codes[i]
        row, query = code & ROWS - 1, code >> QUERY_BITS
        mine, other = row * DIMENSIONS, query * DIMENSIONS
        near = rough(faces, mine, queries, other)
        within = near < surely or (
            near <= limit and np.sqrt(squared(faces, mine, queries, other)) <= tolerance
        )
        codes[close] = code
        close += within and row < count
    return codes[:close].copy()


@_lanes
def unpack(_typing: Any, _packed: Any, _start: Any, _levels: Any) -> Any:
    """Write the levels of 16 faces, as bytes, quad by quad: `unpack(packed, start, levels)`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, target = (_Array(context, builder, signature, arguments, place) for place in (0, 2))
        vectors = [source.load(I8, 64, 64 * vector, arguments[1]) for vector in range(VECTORS)]
        nibbles, fifths, sixths = vectors[:-3], vectors[-3:-1], vectors[-1]

        def bit(vector: Any, place: int, to: int) -> Any:
            single = builder.and_(builder.lshr(vector, _all(I8, 64, place)), _all(I8, 64, 1))
            return builder.shl(single, _all(I8, 64, to))

        for quad in range(QUADS):
            half, place = divmod(quad, QUADS // 2)
            level = builder.and_(
                builder.lshr(nibbles[quad // 2], _all(I8, 64, quad % 2 * 4)), _all(I8, 64, 15)
            )
            level = builder.or_(level, bit(fifths[half], place, 4))
            target.store(builder.or_(level, bit(sixths, place, 5)) if half == 0 else level, 64 * quad)
        return context.get_dummy_value()

    return types.void(BYTES, types.intp, BYTES), generate


@_lanes
def survivors_of_some(
    _typing: Any,
    _levels: Any,
    _terms: Any,
    _row: Any,
    _queries: Any,
    _query: Any,
    _least: Any,
    _codes: Any,
    _end: Any,
) -> Any:
    """List and count the faces, of 16, that may match queries: `TOGETHER` of them, from `query` on.

    `survivors_of_some(levels, terms, row, queries, query, least, codes, end)`: where, for face i and query j,
    `levels[i] . queries[64 * j:] - UNIT * terms[row + i] >= least[j]`, `j << QUERY_BITS | row + i` is appended to
    `codes[end:]`, and the new end is returned. 16 elements beyond it may be written in any case.
    """
    return _survivors(TOGETHER)


@_lanes
def survivors_of_one(
    _typing: Any,
    _levels: Any,
    _terms: Any,
    _row: Any,
    _queries: Any,
    _query: Any,
    _least: Any,
    _codes: Any,
    _end: Any,
) -> Any:
    """The same for one query."""
    return _survivors(1)


def _survivors(together: int) -> Any:
    """Signature and code of `survivors_of_some`. One load of levels serves all queries: loads take most time."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        faces, own, asked, bounds, found = (
            _Array(context, builder, signature, arguments, place) for place in (0, 1, 3, 5, 6)
        )
        row, query, end = arguments[2], arguments[4], arguments[7]
        lanes = ir.VectorType(I32, LANES)
        own_terms = builder.sext(own.load(ir.IntType(16), LANES, 0, row), lanes)
        totals = [builder.mul(own_terms, _all(I32, LANES, -UNIT))] * together
        first = builder.mul(query, query.type(4 * QUADS))
        for quad in range(QUADS):
            levels = faces.load(I8, 64, 64 * quad)
            for j in range(together):
                four = builder.bitcast(asked.load(I8, 4, 4 * (QUADS * j + quad), first), I32)
                totals[j] = _dot(builder, totals[j], levels, _spread(builder, four))
        places = ir.Constant(lanes, list(range(LANES)))
        code = builder.or_(builder.shl(query, query.type(QUERY_BITS)), row)
        for j, total in enumerate(totals):
            least = builder.extract_element(bounds.load(I32, 1, j, query), I32(0))
            kept = builder.icmp_signed(">=", total, _spread(builder, least))
            its_code = builder.add(builder.trunc(code, I32), I32(j << QUERY_BITS))
            codes = builder.add(_spread(builder, its_code), places)
            bits = builder.bitcast(kept, ir.IntType(LANES))
            with _unless_free(builder, builder.icmp_unsigned("!=", bits, bits.type(0))):
                dense = _call(builder, "llvm.experimental.vector.compress.v16i32", lanes, codes, kept, codes)
                found.store(dense, 0, end)
            count = _call(builder, "llvm.ctpop.i16", bits.type, bits)
            end = builder.add(end, builder.zext(count, end.type))
        return end

    return types.intp(BYTES, SHORTS, types.intp, SIGNED, types.intp, INTS, INTS, types.intp), generate


@_lanes
def rough(_typing: Any, _a: Any, _a_start: Any, _b: Any, _b_start: Any) -> Any:
    """Sum 128 squared differences in float32, in any order: `rough(a, a_start, b, b_start)`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        left, right = (_Array(context, builder, signature, arguments, place) for place in (0, 2))
        total = _all(F32, 16, 0.0)
        for step in range(0, 128, 16):
            apart = builder.fsub(
                left.load(F32, 16, step, arguments[1]), right.load(F32, 16, step, arguments[3])
            )
            total = _call(builder, "llvm.fmuladd.v16f32", total.type, apart, apart, total)
        for half in (8, 4, 2, 1):
            total = builder.fadd(*_halves(builder, total, range(half), range(half, 2 * half)))
        return builder.extract_element(total, I32(0))

    return types.float32(FLOATS, types.intp, FLOATS, types.intp), generate


@_lanes
def squared(_typing: Any, _a: Any, _a_start: Any, _b: Any, _b_start: Any) -> Any:
    """Sum 128 squared differences in float64, as NumPy does: `squared(a, a_start, b, b_start)`.

    NumPy's pairwise sum of a row of 128 is eight running sums, element i going to sum i % 8, which then are added
    as ((0 + 1) + (2 + 3)) + ((4 + 5) + (6 + 7)). Every operation is
    rounded by itself, so the result equals NumPy's to the last bit.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        left, right = (_Array(context, builder, signature, arguments, place) for place in (0, 2))
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
            total = builder.fadd(*_halves(builder, total, *_every_other(count)))
        return builder.extract_element(total, I32(0))

    return types.float64(FLOATS, types.intp, FLOATS, types.intp), generate


@_lanes
def prefetch(_typing: Any, _array: Any, _start: Any) -> Any:
    """Ask for 128 float32 that are read soon: `prefetch(array, start)`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source = _Array(context, builder, signature, arguments, 0)
        for line in range(0, 128, 16):
            place = builder.bitcast(source.point(F32, line, arguments[1]), I8.as_pointer())
            _call(builder, "llvm.prefetch.p0", ir.VoidType(), place, I32(0), I32(2), I32(1))
        return context.get_dummy_value()

    return types.void(FLOATS, types.intp), generate


class _Array:
    """One array argument of a function under construction."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Any, place: int) -> None:
        self._builder = builder
        self._data = context.make_array(signature.args[place])(context, builder, arguments[place]).data

    def point(self, kind: Any, offset: int, start: Any = None) -> Any:
        pointer = self._builder.bitcast(self._data, kind.as_pointer())
        pointer = self._builder.gep(pointer, [start]) if start is not None else pointer
        return self._builder.gep(pointer, [I32(offset)])

    def load(self, kind: Any, count: int, offset: int, start: Any = None) -> Any:
        vector = ir.VectorType(kind, count).as_pointer()
        return self._builder.load(self._builder.bitcast(self.point(kind, offset, start), vector), align=1)

    def store(self, value: Any, offset: int, start: Any = None) -> None:
        place = self.point(value.type.element, offset, start)
        self._builder.store(value, self._builder.bitcast(place, value.type.as_pointer()), align=1)


def _dot(builder: Any, total: Any, levels: Any, query: Any) -> Any:
    """Add to each of 16 int32 the products of its four bytes: `levels` are 0..63, `query` -127..127."""
    if compiles_for("avx512vnni"):
        levels = builder.bitcast(levels, total.type)
        return _call(builder, "llvm.x86.avx512.vpdpbusd.512", total.type, total, levels, query)
    pairs = (_pairs_avx2 if compiles_for("avx2") else _pairs)(
        builder, levels, builder.bitcast(query, levels.type)
    )
    even, odd = (builder.sext(half, total.type) for half in _halves(builder, pairs, *_every_other(32)))
    return builder.add(total, builder.add(even, odd))


def _pairs(builder: Any, levels: Any, query: Any) -> Any:
    """Multiply bytes, and add two neighbours: 32 int16, of at most 2 * 63 * 127."""
    wide = ir.VectorType(ir.IntType(16), 64)
    products = builder.mul(builder.sext(levels, wide), builder.sext(query, wide))
    return builder.add(*_halves(builder, products, *_every_other(64)))


def _pairs_avx2(builder: Any, levels: Any, query: Any) -> Any:
    """Say `_pairs` in one instruction for 32 bytes; LLVM does not find it by itself."""
    half = ir.VectorType(ir.IntType(16), 16)
    low, high = (
        _call(
            builder,
            "llvm.x86.avx2.pmadd.ub.sw",
            half,
            *(_halves(builder, side, places)[0] for side in (levels, query)),
        )
        for places in (range(32), range(32, 64))
    )
    return builder.shuffle_vector(low, high, ir.Constant(ir.VectorType(I32, 32), list(range(32))))


def _unless_free(builder: Any, needed: Any) -> AbstractContextManager[Any]:
    """Jump over the compression of a vector where it is no single instruction; where it is, jumps cost more."""
    return nullcontext() if compiles_for("avx512f") else builder.if_then(needed)


def _every_other(count: int) -> tuple[range, range]:
    return range(0, count, 2), range(1, count, 2)


def _all(kind: Any, count: int, value: float) -> Any:
    return ir.Constant(ir.VectorType(kind, count), [value] * count)


def _spread(builder: Any, value: Any) -> Any:
    vector = builder.insert_element(_all(I32, LANES, 0), value, I32(0))
    return builder.shuffle_vector(vector, vector, _all(I32, LANES, 0))


def _halves(builder: Any, vector: Any, *choices: range) -> list[Any]:
    masks = [ir.Constant(ir.VectorType(I32, len(chosen)), list(chosen)) for chosen in choices]
    return [builder.shuffle_vector(vector, vector, mask) for mask in masks]


def _call(builder: Any, name: str, result: Any, *arguments: Any) -> Any:
    kind = ir.FunctionType(result, [argument.type for argument in arguments])
    return builder.call(builder.module.declare_intrinsic(name, fnty=kind), arguments)
