"""One pass over all faces: coarse sketches first, then fine ones, then the few faces that neither excludes.

Arrays are flat and C-contiguous, a start counts elements, and nothing checks bounds: `scan` keeps within them. The
inner steps, in `comparison` and `distances`, are LLVM vectors, because Numba's own loops that say the same are
several times slower.
"""

import numpy as np
from numba import carray  # type: ignore[attr-defined]  # numba has few types
from numpy.typing import NDArray

from worker.index.comparison import compare_one, compare_some, finer, lowest, prefetch_record, unpack
from worker.index.distances import prefetch_face, rough, squared
from worker.index.layout import (
    AHEAD,
    COARSE,
    DIMENSIONS,
    FINE,
    LANES,
    QUADS,
    RECORD,
    ROWS,
    ROWS_BITS,
    STRIP_BITS,
    TOGETHER,
    Asked,
    Blocks,
    Limits,
)
from worker.simd.kernel import kernel
from worker.simd.memory import pointer


@kernel
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
        terms = carray(pointer(blocks.terms[block]), ROWS, np.int16)
        coarse = carray(pointer(blocks.coarse[block]), ROWS // LANES * COARSE, np.uint8)
        fine = carray(pointer(blocks.fine[block]), ROWS * RECORD, np.uint8)
        faces = carray(pointer(blocks.faces[block]), ROWS * DIMENSIONS, np.float32)
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


@kernel
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


@kernel
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


@kernel
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


@kernel
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
