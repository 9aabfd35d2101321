"""A block of faces: their numbers as given, and the sketches that spare reading them."""

import numpy as np
from numpy.typing import NDArray

from worker.index.scan import AHEAD, DIMENSIONS, LANES, QUERY_BITS, ROWS, VECTORS, scan
from worker.index.sketch import Sketcher


class Query:
    """Query faces, sketched, with the pass's scratch."""

    def __init__(self, faces: NDArray[np.float32], sketcher: Sketcher, tolerance: float) -> None:
        self.faces = faces.reshape(-1)
        levels, self.least = sketcher.queries(faces)
        self.levels = levels.reshape(-1)
        self.tolerance = tolerance
        with np.errstate(over="ignore"):
            # 1e-36 covers float32's underflow: 128 squares of less than 2^-126 each, and as much in the tolerance.
            self.limit = np.float32(tolerance * tolerance * (1 + 2e-5) + 1e-36)
            self.surely = np.float32(tolerance * tolerance * (1 - 2e-5) - 1e-36)
        self.codes = np.empty(ROWS * len(faces) + LANES + AHEAD, np.int32)


class Block:
    """Up to `ROWS` faces; sketches lie by 16 faces, so that one vector holds the same bytes of each."""

    def __init__(self) -> None:
        self.count = 0
        self._faces = np.empty((ROWS, DIMENSIONS), np.float32)
        self._sketches = np.empty((ROWS // LANES, VECTORS, LANES, 4), np.uint8)
        self._terms = np.empty(ROWS, np.int16)
        self._flat = self._sketches.reshape(-1), self._terms, self._faces.reshape(-1)

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
        return self._faces.nbytes + self._sketches.nbytes + self._terms.nbytes

    def append(self, faces: NDArray[np.float32]) -> None:
        """Take more faces, for which there must be room; `sketch` them next."""
        self._faces[self.count : self.count + len(faces)] = faces
        self.count += len(faces)

    def sketch(self, sketcher: Sketcher, first: int) -> None:
        """Sketch the faces from `first` on."""
        rows = np.arange(first, self.count)
        levels, self._terms[first : self.count] = sketcher.faces(self._faces[first : self.count])
        self._sketches[rows // LANES, :, rows % LANES] = levels

    def copy(self, row: int, other: "Block", source: int) -> None:
        """Make a row equal to a row of a block."""
        self._faces[row] = other._faces[source]
        self._sketches[row // LANES, :, row % LANES] = other._sketches[source // LANES, :, source % LANES]
        self._terms[row] = other._terms[source]

    def near(self, query: Query) -> tuple[NDArray[np.uint8], NDArray[np.int32]]:
        """Find the faces within the tolerance: numbers of query faces, and rows."""
        codes = scan(
            self.count,
            *self._flat,
            query.levels,
            query.least,
            query.faces,
            query.limit,
            query.surely,
            query.tolerance,
            query.codes,
        )
        return (codes >> QUERY_BITS).astype(np.uint8), codes & ROWS - 1
