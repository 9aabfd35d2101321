"""All known faces in memory: which pictures have a face within the tolerance of these faces."""

from collections.abc import Sequence
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from worker.index.block import Block, Query, near
from worker.index.layout import DIMENSIONS, MAX_QUERIES, ROWS
from worker.index.register import DIGEST, Register
from worker.index.sketch import Sketcher

SAMPLE = 16384  # faces to which the sketches are fitted
MAX_FACES = 2**16 - 1  # of one picture


class Index:
    """All known faces. Owned by one thread: no method may run beside another.

    A known face matches a query when `np.sqrt(((a - b) ** 2).sum()) <= tolerance`, computed in float64 from the
    float32 values: the rule of `face_recognition.compare_faces`, and the same to the last bit.

    A face takes at most 600 bytes: 512 of its own, 48 of sketches, 32 of digest, 5 of table, and what is set aside
    for the next ones.
    """

    def __init__(self, tolerance: float = 0.6, capacity: int = 0) -> None:
        """Start empty. `capacity` is how many faces are expected: it only spares the table's growth."""
        if not 0 <= tolerance < np.inf:
            raise ValueError(f"the tolerance is {tolerance}: a distance of 0 or more is needed")
        self.tolerance = float(tolerance)
        self._register = Register(capacity)
        self._faceless: set[bytes] = set()
        self._with_faces = 0
        self._blocks: list[Block] = []
        self._sketcher: Sketcher | None = None
        self._fitted = 0

    def __len__(self) -> int:
        """Count the faces."""
        return len(self._register)

    def __contains__(self, picture: object) -> bool:
        if not isinstance(picture, bytes) or len(picture) != DIGEST:
            return False
        return picture in self._faceless or bool(self._register.known([picture])[0])

    @property
    def pictures(self) -> int:
        """Count the pictures, those without a face included."""
        return self._with_faces + len(self._faceless)

    @property
    def nbytes(self) -> int:
        """Bytes set aside for the faces."""
        return self._register.nbytes + sum(block.nbytes for block in self._blocks)

    def add(self, picture: bytes, encodings: NDArray[np.float32]) -> None:
        """Know the faces of one more picture, (n, 128); n may be 0. Raises ValueError as `extend` does."""
        self.extend([picture], np.array([len(encodings)]), encodings)

    def extend(
        self, pictures: Sequence[bytes], counts: NDArray[np.int64], encodings: NDArray[np.float32]
    ) -> None:
        """Know the faces of many pictures: the next `counts[i]` rows of `encodings` belong to `pictures[i]`.

        Raises ValueError, and changes nothing, for a picture that is known or given twice, a digest that is not of
        32 bytes, counts that do not add up, and encodings of another shape or with values that are not finite.
        """
        encodings = _checked(encodings)
        counts = np.asarray(counts, np.int64)
        self._check(pictures, counts, len(encodings))
        with_faces = list(compress(pictures, counts > 0))
        self._register.append(with_faces, counts[counts > 0])
        self._with_faces += len(with_faces)
        self._faceless.update(compress(pictures, counts == 0))
        self._append(encodings)

    def remove(self, picture: bytes) -> bool:
        """Forget a picture; False if it was not known."""
        if picture in self._faceless:
            self._faceless.remove(picture)
            return True
        if picture not in self:
            return False
        for row in sorted(self._register.rows(picture), reverse=True):
            self._register.drop(row)
            last = self._blocks[-1]
            self._blocks[row // ROWS].copy(row % ROWS, last, last.count - 1)
            last.count -= 1
            if not last.count:
                self._blocks.pop()
        self._with_faces -= 1
        return True

    def known(self, pictures: Sequence[bytes]) -> list[bytes]:
        """Tell which of many pictures are known: far quicker than asking for each."""
        faceless = self._faceless.intersection(pictures)
        return [*faceless, *compress(pictures, self._register.known(pictures))]

    def matches(self, faces: NDArray[np.float32]) -> list[list[bytes]]:
        """For each query face, (n, 128), the pictures with a matching face: no duplicates, in no order."""
        faces = _checked(faces)
        parts = [faces[first : first + MAX_QUERIES] for first in range(0, len(faces), MAX_QUERIES)]
        return [answer for part in parts for answer in self._answers(part)]

    def _check(self, pictures: Sequence[bytes], counts: NDArray[np.int64], faces: int) -> None:
        if counts.shape != (len(pictures),) or counts.sum() != faces:
            raise ValueError(f"counts for {len(pictures)} pictures and {faces} faces do not add up")
        if len(counts) and not 0 <= counts.min() <= counts.max() <= MAX_FACES:
            raise ValueError(
                f"a picture has {counts.min()} or {counts.max()} faces: 0 to {MAX_FACES} are possible"
            )
        wrong = [picture for picture in pictures if len(picture) != DIGEST]
        if wrong:
            raise ValueError(
                f"{wrong[0]!r} is not a SHA-256 digest: it has {len(wrong[0])} bytes, not {DIGEST}"
            )
        if known := self.known(pictures):
            raise ValueError(f"picture {known[0].hex()} is known already: remove it first")
        if len(set(pictures)) != len(pictures):
            raise ValueError("a picture is given twice")

    def _append(self, faces: NDArray[np.float32]) -> None:
        first = sum(block.count for block in self._blocks)
        taken = 0
        while taken < len(faces):
            if not self._blocks or not self._blocks[-1].room:
                self._blocks.append(Block())
            block = self._blocks[-1]
            part = faces[taken : taken + block.room]
            block.append(part)
            taken += len(part)
        if len(self) >= 4 * self._fitted and self._fitted < SAMPLE and len(self):
            self._fit()
            first = 0
        if self._sketcher is not None:
            for number in range(first // ROWS, len(self._blocks)):
                self._blocks[number].sketch(self._sketcher, max(first - number * ROWS, 0))

    def _fit(self) -> None:
        every = -(-len(self) // SAMPLE)
        sample = np.concatenate([block.faces[::every] for block in self._blocks])
        self._sketcher = Sketcher.fitted(sample, self.tolerance)
        self._fitted = len(self)

    def _answers(self, faces: NDArray[np.float32]) -> list[list[bytes]]:
        if self._sketcher is None:
            return [[] for _ in faces]
        query = Query(faces, self._sketcher, self.tolerance)
        queries, rows = near(self._blocks, query)
        ends = np.cumsum(np.bincount(queries, minlength=len(faces)))
        answers = np.split(rows[np.argsort(queries, kind="stable")], ends[:-1])
        return [self._register.distinct(answer) for answer in answers]


def _checked(encodings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the encodings as contiguous (n, 128) float32, or raise ValueError."""
    with np.errstate(over="ignore"):
        encodings = np.ascontiguousarray(encodings, np.float32)
    if encodings.size == 0:
        return np.empty((0, DIMENSIONS), np.float32)
    if encodings.ndim != 2 or encodings.shape[1] != DIMENSIONS:
        raise ValueError(f"encodings of the shape {encodings.shape}: (n, {DIMENSIONS}) is needed")
    if not np.isfinite([encodings.min(), encodings.max()]).all():
        raise ValueError("an encoding has a value that is not a finite float32")
    return encodings
