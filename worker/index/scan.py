"""One pass over all faces: coarse sketches first, then fine ones, then the few faces that neither excludes.

The inner steps are LLVM vectors, because Numba's own loops that say the same are several times slower. All are
legal on any processor, where LLVM splits the vectors to its width; only `_Products` asks for instructions that some
lack, and does without them there. Arrays are flat and C-contiguous, a start counts elements, and nothing checks
bounds: `scan` keeps within them. It is all one file, since Numba's cache only sees changes of the function's own.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import carray, njit, types  # type: ignore[attr-defined]  # numba has few types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from worker.simd.processor import compiles_for

DIMENSIONS = 128
QUADS = 16  # of a sketch: the dot product takes four dimensions at a time
LANES = 16  # faces side by side
COARSE = QUADS * LANES * 2  # bytes of 16 coarse sketches: half a byte a dimension
FINE = 12  # bytes of a fine sketch, one line of `Asked.parts` each
RECORD = FINE + 2  # with its term

COARSE_UNIT = 4  # what a face's terms count in
FINE_UNIT = 16

ROWS_BITS = 12
ROWS = 1 << ROWS_BITS  # faces of a block
STRIP_BITS = 9  # at least: faces whose sketches and numbers stay in the cache for all queries
MOST_QUERIES = 64  # of one pass
AHEAD = 16  # faces asked for before they are read
TOGETHER = 4  # queries that share the loads of faces' levels


class Asked(NamedTuple):
    """Query faces as the pass needs them, flat."""

    faces: NDArray[np.float32]  # (queries * 128,)
    levels: NDArray[np.int8]  # (queries * 64,)
    parts: NDArray[
        np.int16
    ]  # (queries * FINE * 256,): what each byte of a fine sketch adds to the dot product
    coarse: NDArray[np.int32]  # (queries,): terms for coarse sketches
    fine: NDArray[np.int64]  # (queries,): terms for fine sketches


class Limits(NamedTuple):
    """What is within the tolerance, by a float32 sum of squares: none beyond `most`, all below `surely`."""

    most: np.float32
    surely: np.float32
    tolerance: float


class Blocks(NamedTuple):
    """Where the blocks lie in memory: a count and three addresses each. Their arrays must outlive the pass."""

    counts: NDArray[np.int64]
    terms: NDArray[np.int64]  # of (ROWS,) int16
    coarse: NDArray[np.int64]  # of (ROWS / 16 * COARSE,) uint8
    fine: NDArray[np.int64]  # of (ROWS * RECORD,) uint8
    faces: NDArray[np.int64]  # of (ROWS * 128,) float32


I8, I16, I32, I64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))
F32, F64 = ir.FloatType(), ir.DoubleType()

# Numba's own type counts the typing context among the caller's arguments.
_lanes: Callable[[Callable[..., Any]], Callable[..., Any]] = intrinsic

BYTES, SIGNED, SHORTS, INTS, FLOATS = (
    types.Array(kind, 1, "C") for kind in (types.uint8, types.int8, types.int16, types.int32, types.float32)
)


@njit(cache=True, nogil=True)
def scan(blocks: Blocks, asked: Asked, limits: Limits, passed: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find the faces at a distance of at most `limits.tolerance` from each query.

    Returns query << 32 | row, rows counted through all blocks. Adds to `passed` how many pairs of face and query
    the coarse sketches did not exclude, and the fine ones.

    A float32 sum of squares beyond `limits.most` excludes, one below `limits.surely` is within the tolerance, and
    what lies between is summed again in float64. Each of the 128 terms has two roundings or three, and the sum 127
    more at most, so it is within 131 * 2^-24 < 1e-5 of the true one, relatively.
    """
    queries = len(asked.coarse)
    shift = ROWS_BITS
    while shift > STRIP_BITS and queries << shift > 4 * ROWS:
        shift -= 1
    strip = 1 << shift
    levels = np.empty(QUADS * LANES * 4, np.uint8)
    dots = np.empty(queries * strip, np.int32)
    marks = np.zeros(queries * strip // 64, np.uint64)
    codes = np.empty(queries * strip + AHEAD, np.int64)
    found = np.empty(queries * strip + 1024, np.int64)
    end = 0
    for block in range(len(blocks.counts)):
        terms = carray(_pointer(blocks.terms[block]), ROWS, np.int16)
        coarse = carray(_pointer(blocks.coarse[block]), ROWS // LANES * COARSE, np.uint8)
        fine = carray(_pointer(blocks.fine[block]), ROWS * RECORD, np.uint8)
        faces = carray(_pointer(blocks.faces[block]), ROWS * DIMENSIONS, np.float32)
        for first in range(0, blocks.counts[block], strip):
            count = min(blocks.counts[block] - first, strip)
            _mark(coarse, terms, first, count, strip, asked, levels, dots, marks)
            marked = _list(fine, first, count, strip, marks, codes)
            left = _refine(fine, first, shift, asked, dots, codes, marked)
            passed[0] += marked
            passed[1] += left
            if end + left >= len(found):
                found = np.concatenate((found, np.empty(len(found) + left, np.int64)))
            end = _decide(faces, block * ROWS, asked, limits, codes, left, found, end)
    return found[:end]


@njit(cache=True, nogil=True)
def _mark(  # noqa: PLR0917 - Numba takes positional arguments alone
    coarse: NDArray[np.uint8],
    terms: NDArray[np.int16],
    first: int,
    count: int,
    strip: int,
    asked: Asked,
    levels: NDArray[np.uint8],
    dots: NDArray[np.int32],
    marks: NDArray[np.uint64],
) -> None:
    """Set bit `query * strip + row` where the coarse sketch does not exclude row `first + row`, and keep dots."""
    queries = len(asked.coarse)
    bits = marks.view(np.int16)
    for row in range(0, count, LANES):
        unpack(coarse, (first + row) // LANES * COARSE, levels)
        query = 0
        while query + TOGETHER <= queries:
            compare_some(
                levels, terms, first + row, asked.levels, asked.coarse, query, dots, bits, row, strip
            )
            query += TOGETHER
        while query < queries:
            compare_one(levels, terms, first + row, asked.levels, asked.coarse, query, dots, bits, row, strip)
            query += 1


@njit(cache=True, nogil=True)
def _list(  # noqa: PLR0917 - Numba takes positional arguments alone
    fine: NDArray[np.uint8],
    first: int,
    count: int,
    strip: int,
    marks: NDArray[np.uint64],
    codes: NDArray[np.int64],
) -> int:
    """List the places of the bits that are set, ask for the fine sketches there, and clear the bits."""
    marked = 0
    for word in range(len(marks)):
        bits = marks[word]
        marks[word] = 0
        while bits:
            place = word * 64 + lowest(bits)
            bits &= bits - np.uint64(1)
            row = place & strip - 1
            prefetch_record(fine, (first + row) * RECORD)
            codes[marked] = place
            marked += row < count
    return marked


@njit(cache=True, nogil=True)
def _refine(  # noqa: PLR0917 - Numba takes positional arguments alone
    fine: NDArray[np.uint8],
    first: int,
    shift: int,
    asked: Asked,
    dots: NDArray[np.int32],
    codes: NDArray[np.int64],
    marked: int,
) -> int:
    """Keep of the places those that the fine sketch does not exclude either, as query << 32 | row."""
    left = 0
    for i in range(marked):
        place = codes[i]
        query, row = place >> shift, place & (1 << shift) - 1
        more = finer(asked.parts, query * FINE * 256, fine, (first + row) * RECORD)
        codes[left] = query << 32 | (first + row)
        left += 4 * dots[place] + more >= asked.fine[query]
    codes[left : left + AHEAD] = 0
    return left


@njit(cache=True, nogil=True)
def _decide(  # noqa: PLR0917 - Numba takes positional arguments alone
    faces: NDArray[np.float32],
    before: int,
    asked: Asked,
    limits: Limits,
    codes: NDArray[np.int64],
    left: int,
    found: NDArray[np.int64],
    end: int,
) -> int:
    """Append those of the faces that are within the tolerance, `before` added to their rows; return the new end."""
    for i in range(AHEAD):
        prefetch_face(faces, (codes[i] & ROWS - 1) * DIMENSIONS)
    for i in range(left):
        prefetch_face(faces, (codes[i + AHEAD] & ROWS - 1) * DIMENSIONS)
        mine, other = (codes[i] & ROWS - 1) * DIMENSIONS, (codes[i] >> 32) * DIMENSIONS
        near = rough(faces, mine, asked.faces, other)
        found[end] = codes[i] + before
        end += near < limits.surely or (
            near <= limits.most and np.sqrt(squared(faces, mine, asked.faces, other)) <= limits.tolerance
        )
    return end


@_lanes
def _pointer(_typing: Any, _address: Any) -> Any:
    """An address as Numba's `carray` takes it."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], I8.as_pointer())

    return types.voidptr(types.int64), generate


@_lanes
def lowest(_typing: Any, _bits: Any) -> Any:
    """Tell the place of the lowest bit that is set; there must be one."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return _call(builder, "llvm.cttz.i64", I64, *arguments, ir.IntType(1)(1))

    return types.int64(types.uint64), generate


@_lanes
def finer(_typing: Any, _parts: Any, _start: Any, _fine: Any, _at: Any) -> Any:
    """Return what a fine sketch adds to a dot product, less `FINE_UNIT` times its term.

    `finer(parts, start, fine, at)`: byte i of the sketch adds `parts[start + 256 * i + byte]`.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        parts, fine = (_Array(context, builder, signature, arguments, place) for place in (0, 2))
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


@_lanes
def unpack(_typing: Any, _packed: Any, _start: Any, _levels: Any) -> Any:
    """Write the levels of 16 faces, as bytes, quad by quad: `unpack(packed, start, levels)`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, target = (_Array(context, builder, signature, arguments, place) for place in (0, 2))
        for pair in range(QUADS // 2):
            both = source.load(I8, 64, 64 * pair, arguments[1])
            target.store(builder.and_(both, _all(I8, 64, 15)), 128 * pair)
            target.store(builder.lshr(both, _all(I8, 64, 4)), 128 * pair + 64)
        return context.get_dummy_value()

    return types.void(BYTES, types.intp, BYTES), generate


@_lanes
def compare_some(
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
    """Multiply the levels of 16 faces with those of queries, `TOGETHER` of them, from `query` on.

    `compare_some(levels, terms, at, queries, least, query, dots, marks, row, strip)`: `dots[j * strip + row + i]`
    becomes `levels[i] . queries[64 * j:]` for face i and query j, and bit `j * strip + row + i` of marks tells
    whether that is at least `COARSE_UNIT * terms[at + i] + least[j]`.
    """
    return _comparison(TOGETHER)


@_lanes
def compare_one(
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
    """The same for one query."""
    return _comparison(1)


def _comparison(together: int) -> Any:
    """Signature and code of `compare_some`. One load of levels serves all queries: loads take most time."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        faces, own, asked, bounds, dots, marks = (
            _Array(context, builder, signature, arguments, place) for place in (0, 1, 3, 4, 6, 7)
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
                product.add(levels, _spread(builder, four))
        terms = builder.sext(own.load(I16, LANES, 0, at), lanes)
        terms = builder.mul(terms, _all(I32, LANES, COARSE_UNIT))
        place = builder.add(builder.mul(query, arguments[9]), row)
        for j, product in enumerate(products):
            total = product.total()
            dots.store(total, 0, place)
            least = builder.extract_element(bounds.load(I32, 1, j, query), I32(0))
            kept = builder.icmp_signed(">=", total, builder.add(terms, _spread(builder, least)))
            bits = builder.bitcast(kept, ir.VectorType(I16, 1))
            marks.store(bits, 0, builder.udiv(place, place.type(LANES)))
            place = builder.add(place, arguments[9])
        return context.get_dummy_value()

    signature = (BYTES, SHORTS, types.intp, SIGNED, INTS, types.intp, INTS, SHORTS, types.intp, types.intp)
    return types.void(*signature), generate


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
def prefetch_record(_typing: Any, _array: Any, _start: Any) -> Any:
    """Ask for a fine sketch that is read soon: `prefetch_record(array, start)`."""
    return _prefetching(BYTES, 1)


@_lanes
def prefetch_face(_typing: Any, _array: Any, _start: Any) -> Any:
    """Ask for 128 float32 that are read soon: `prefetch_face(array, start)`."""
    return _prefetching(FLOATS, DIMENSIONS // 16)


def _prefetching(array: Any, lines: int) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source = _Array(context, builder, signature, arguments, 0)
        first = builder.gep(source.start, [arguments[1]])
        for line in range(lines):
            place = builder.gep(builder.bitcast(first, I8.as_pointer()), [I32(64 * line)])
            _call(builder, "llvm.prefetch.p0", ir.VoidType(), place, I32(0), I32(2), I32(1))
        return context.get_dummy_value()

    return types.void(array, types.intp), generate


class _Array:
    """One array argument of a function under construction."""

    def __init__(self, context: Any, builder: Any, signature: Any, arguments: Any, place: int) -> None:
        self._builder = builder
        self.start = context.make_array(signature.args[place])(context, builder, arguments[place]).data

    def point(self, kind: Any, offset: int, start: Any = None, unit: Any = None) -> Any:
        """Element `offset` of a kind, from element `start` of a unit on, which is the kind unless it is given."""
        pointer = self._builder.bitcast(self.start, (unit or kind).as_pointer())
        pointer = self._builder.gep(pointer, [start]) if start is not None else pointer
        return self._builder.gep(self._builder.bitcast(pointer, kind.as_pointer()), [I32(offset)])

    def load(self, kind: Any, count: int, offset: int, start: Any = None, unit: Any = None) -> Any:
        vector = ir.VectorType(kind, count).as_pointer()
        point = self.point(kind, offset, start, unit)
        return self._builder.load(self._builder.bitcast(point, vector), align=1)

    def store(self, value: Any, offset: int, start: Any = None) -> None:
        place = self.point(value.type.element, offset, start)
        self._builder.store(value, self._builder.bitcast(place, value.type.as_pointer()), align=1)


class _Products:
    """The sums of 16 faces' products with one query. Levels are 0..15, a query's -127..127.

    16-bit sums take each every second pair of a face's dimensions: `sketch` sees to it that they hold them.
    """

    def __init__(self, builder: Any) -> None:
        self._builder = builder
        self._short = not compiles_for("avx512vnni")
        self._avx2 = compiles_for("avx2")
        zeros = [_all(I16, 16, 0)] * 2 if self._short else [_all(I32, LANES, 0)]
        self._sums = [cgutils.alloca_once_value(builder, zero) for zero in zeros]  # type: ignore[no-untyped-call]

    def add(self, levels: Any, query: Any) -> None:
        """Add the products of four dimensions; `query` has them sixteen times."""
        builder = self._builder
        if not self._short:
            levels = builder.bitcast(levels, query.type)
            name = "llvm.x86.avx512.vpdpbusd.512"
            total = _call(builder, name, query.type, builder.load(self._sums[0]), levels, query)
            builder.store(total, self._sums[0])
            return
        query = builder.bitcast(query, levels.type)
        halves = (_halves(builder, side, range(32), range(32, 64)) for side in (levels, query))
        for total, some, weights in zip(self._sums, *halves, strict=True):
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
            return _call(builder, "llvm.x86.avx2.pmadd.ub.sw", ir.VectorType(I16, 16), levels, query)
        wide = ir.VectorType(I16, 32)
        products = builder.mul(builder.zext(levels, wide), builder.sext(query, wide))
        return builder.add(*_halves(builder, products, *_every_other(32)))

    def _neighbours(self, sums: Any) -> Any:
        builder, wide = self._builder, ir.VectorType(I32, 8)
        if self._avx2:
            return _call(builder, "llvm.x86.avx2.pmadd.wd", wide, sums, _all(I16, 16, 1))
        return builder.add(*(builder.sext(half, wide) for half in _halves(builder, sums, *_every_other(16))))


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
