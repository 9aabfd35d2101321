"""The face index: all indexed faces, kept up to date with the journal."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from faces.errors import StoreError
from faces.store.client import RedisClient
from faces.store.collection import journal
from faces.store.collection.journal import Entry, Mark, Place
from faces.store.pictures.commit import DetectionResult
from worker.index import Index
from worker.index.rule import is_match
from worker.index.shared_index import SharedIndex

IN_MEMORY = 50_000  # faces in memory before they are copied to the shared collection
PIECE = 2_000  # journal entries read at once: a megabyte of encodings, which the processor's cache holds


class FaceIndex:
    """The faces of every picture in the journal up to `position`. Belongs to one thread.

    All are in memory; or, with `shared`, only those after its position, and the others are there.
    """

    def __init__(self, tolerance: float, shared: SharedIndex | None = None) -> None:
        self.position = 0
        self.tolerance = tolerance
        self._shared_index = shared
        self._index = Index(tolerance)
        self._coming: list[Entry] = []  # what is not in the index yet
        self._begun = 0  # the journal's position from which on faces are in memory
        self._erased = False  # something has been erased since
        self._line = b""  # the journal's line before `position`, once it was read
        self._mark = Mark()  # the journal's last mark that was seen

    def __len__(self) -> int:
        """Count of faces in memory."""
        self._apply()
        return len(self._index)

    @property
    def place(self) -> Place:
        """Up to where the journal has been followed."""
        return Place(self.position, self._line, self._mark)

    def follow(self, redis: RedisClient) -> None:
        """Read the journal to its end.

        Raises:
            StoreError: Redis or the shared collection is unavailable.
            MismatchError: Redis was restored or lost writes since the journal was last read.
        """
        if self._shared_index is not None:
            self._begin(max(self._shared_index.position(), self._begun))
        elif not self.position:
            self._index = Index(self.tolerance, journal.count_pictures(redis))
        while True:
            self._apply()
            self._share()
            entries, self._mark = journal.follow(redis, self.place, PIECE)
            if not entries:
                return
            self.advance(entries)

    def advance(self, entries: Iterable[Entry]) -> None:
        """Append the entries that follow `position`; they enter the index at the next query, outside the commit."""
        before = len(self._coming)
        self._coming += entries
        self.position += len(self._coming) - before
        if self._coming:
            self._line = self._coming[-1].line

    def compare(self, found: Sequence[DetectionResult]) -> MatchSet:
        """Compare the faces of pictures, all different, with the indexed ones and with each other."""
        return MatchSet(self, found)

    def add_committed(self, found: Iterable[DetectionResult], mark: Mark | None) -> None:
        """Add pictures of our own, committed right after `position` under this mark."""
        self._mark = mark or self._mark
        self.advance(
            Entry(bytes.fromhex(f.picture_id), erased=False, encodings=f.encodings)
            for f in found
            if f.encodings
        )

    def matches(self, faces: NDArray[np.float32]) -> list[list[bytes]]:
        """For each face, shape (n, 128), the digests of the indexed pictures with a matching face."""
        self._apply()
        matches = self._index.matches(faces)
        if self._shared_index is None:
            return matches
        others = self.matches_among(faces, self._shared_index.proposed(faces, self._begun))
        return [list({*ours, *theirs}) for ours, theirs in zip(matches, others, strict=True)]

    def matches_among(
        self, faces: NDArray[np.float32], picture_ids: Iterable[tuple[bytes, tuple[bytes, ...]]]
    ) -> list[list[bytes]]:
        """The same among a few pictures, by the same rule: an index would cost more than it saves."""
        owned = [(digest, encoding) for digest, encodings in picture_ids for encoding in encodings]
        few = vectors([encoding for _, encoding in owned])
        wanted, others = faces.astype(np.float64), few.astype(np.float64)
        sizes = (wanted**2).sum(axis=1)[:, None] + (others**2).sum(axis=1)
        # a product is fast, and off by less than 1e-12 of the sizes: it only proposes, the rule decides
        near = sizes - 2 * wanted @ others.T <= self.tolerance**2 + 1e-9 * (1 + sizes)
        pairs = np.argwhere(near)
        matches: list[list[bytes]] = [[] for _ in faces]
        for face, other in pairs[is_match(faces[pairs[:, 0]], few[pairs[:, 1]], self.tolerance)]:
            matches[face].append(owned[other][0])
        return matches

    def _share(self) -> None:
        """Copy the faces in memory to the shared collection once there are many; erasures are copied at once."""
        if self._shared_index is None or not (self._erased or len(self) >= IN_MEMORY):
            return
        if self._shared_index.copy(self.position):
            self._begin(self.position)
        elif len(self) >= 2 * IN_MEMORY:
            raise StoreError("waiting for another worker to copy faces to the shared collection")

    def _begin(self, position: int) -> None:
        """Keep in memory only what the journal has after a position."""
        if position == self._begun:
            return
        if position != self.position:
            self._line = b""
        self.position = self._begun = position
        self._index = Index(self.tolerance)
        self._coming.clear()
        self._erased = False

    def _apply(self) -> None:
        """Bring the index up to `position`."""
        if not self._coming:
            return
        self._erased |= any(entry.erased for entry in self._coming)
        last = {entry.digest: entry.encodings for entry in self._coming}
        for digest in self._index.known(list(last)):
            self._index.remove(digest)
        alive = {digest: encodings for digest, encodings in last.items() if encodings}
        counts = np.array([len(encodings) for encodings in alive.values()], dtype=np.int64)
        faces = vectors([encoding for encodings in alive.values() for encoding in encodings])
        self._index.extend(list(alive), counts, faces)
        self._coming.clear()


class MatchSet:
    """The matches of each picture of a batch; `catch_up` keeps them complete while others commit."""

    def __init__(self, face_index: FaceIndex, found: Sequence[DetectionResult]) -> None:
        self._face_index = face_index
        self._pictures = [f.picture_id for f in found]
        self._owners = [number for number, f in enumerate(found) for _ in f.encodings]
        self._faces = vectors([encoding for f in found for encoding in f.encodings])
        batch = [(bytes.fromhex(f.picture_id), f.encodings) for f in found]
        self._mates = self._edges(face_index.matches_among(self._faces, batch))
        self._stored = self._edges(face_index.matches(self._faces))
        self.edges = self._stored

    def catch_up(self, tail: Sequence[Entry], ours: Collection[str]) -> list[set[str]]:
        """Apply what others committed and erased meanwhile; return each picture's matches, `ours` among them."""
        if tail:
            self._face_index.advance(tail)
            last = {entry.digest: entry for entry in tail}
            named = {digest.hex() for digest in last}
            alive = ((digest, entry.encodings) for digest, entry in last.items() if entry.encodings)
            new = self._edges(self._face_index.matches_among(self._faces, alive))
            self._stored = [(old - named) | more for old, more in zip(self._stored, new, strict=True)]
        self.edges = [s | m.intersection(ours) for s, m in zip(self._stored, self._mates, strict=True)]
        return self.edges

    def _edges(self, matches: Sequence[Iterable[bytes]]) -> list[set[str]]:
        """Turn the matches of faces into those of pictures, without the picture itself."""
        edges: list[set[str]] = [set() for _ in self._pictures]
        for owner, digests in zip(self._owners, matches, strict=True):
            edges[owner].update(digest.hex() for digest in digests)
            edges[owner].discard(self._pictures[owner])
        return edges


def vectors(encodings: Sequence[bytes]) -> NDArray[np.float32]:
    """Encodings as Redis has them -> float32 of shape (n, 128)."""
    return np.frombuffer(b"".join(encodings), dtype="<f4").reshape(-1, 128).astype(np.float32)
