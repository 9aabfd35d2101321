"""A block of faces: their numbers as given, and the sketches that spare reading them."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from worker.index.layout import DIMENSIONS, FINE, LANES, QUADS, RECORD, ROWS, Blocks, Limits
from worker.index.scan import scan
from worker.index.sketch import Sketcher


class Query:
    """Query faces, (n, 128), sketched; `passed` counts pairs of face and query that each sketch let pass."""

    def __init__(self, faces: NDArray[np.float32], sketcher: Sketcher, tolerance: float) -> None:
        self.asked = sketcher.queries(faces)
        with np.errstate(over="ignore"):
            # 1e-36 covers float32's underflow: 128 squares of less than 2^-126 each, and as much in the tolerance.
            most = np.float32(tolerance * tolerance * (1 + 2e-5) + 1e-36)
            surely = np.float32(tolerance * tolerance * (1 - 2e-5) - 1e-36)
        self.limits = Limits(most, surely, tolerance)
        self.passed = np.zeros(2, np.int64)


class Block:
    """Up to `ROWS` faces; coarse sketches lie by 16 faces, so that one vector holds the same bytes of each."""

    def __init__(self) -> None:
        self.count = 0
        self._faces = np.empty((ROWS, DIMENSIONS), np.float32)
        self._coarse = np.empty((ROWS // LANES, QUADS // 2, LANES, 4), np.uint8)
        self._terms = np.empty(ROWS, np.int16)
        self._fine = np.empty((ROWS, RECORD), np.uint8)
        self._arrays = self._terms, self._coarse, self._fine, self._faces
        self.addresses = tuple(array.ctypes.data for array in self._arrays)

    @property
    def room(self) -> int:
        """How many more faces it takes."""
        return ROWS - self.count

    @property
    def faces(self) -> NDArray[np.float32]:
        """The faces, (count, 128)."""
        return self._faces[: self.count]

    @property
    def nbytes(self) -> int:
        """Bytes set aside."""
        return sum(array.nbytes for array in self._arrays)

    def append(self, faces: NDArray[np.float32]) -> None:
        """Take more faces, for which there must be room; `sketch` them next."""
        self._faces[self.count : self.count + len(faces)] = faces
        self.count += len(faces)

    def sketch(self, sketcher: Sketcher, first: int) -> None:
        """Sketch the faces from `first` on."""
        rows = np.arange(first, self.count)
        made = sketcher.faces(self._faces[first : self.count])
        self._coarse[rows // LANES, :, rows % LANES] = made.coarse
        self._terms[rows] = made.terms
        self._fine[rows, :FINE] = made.fine
        self._fine[rows, FINE:] = made.fine_terms.astype("<i2")[:, None].view(np.uint8)

    def copy(self, row: int, other: "Block", source: int) -> None:
        """Make a row equal to a row of a block."""
        self._faces[row] = other._faces[source]
        self._coarse[row // LANES, :, row % LANES] = other._coarse[source // LANES, :, source % LANES]
        self._terms[row] = other._terms[source]
        self._fine[row] = other._fine[source]


def near(blocks: Sequence[Block], query: Query) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Find the faces within the tolerance: numbers of query faces, and rows, counted through all blocks."""
    counts = np.array([block.count for block in blocks], np.int64)
    addresses = np.array([block.addresses for block in blocks], np.int64).reshape(-1, 4).T.copy()
    found = scan(Blocks(counts, *addresses), query.asked, query.limits, query.passed)
    return (found >> 32).astype(np.uint8), found & 2**32 - 1
