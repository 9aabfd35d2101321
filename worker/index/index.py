"""All known faces in memory: which pictures have a face within the tolerance of these faces."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 128


class Neighbour(NamedTuple):
    """A known face within the tolerance of a query face."""

    query: int  # number of the query face
    picture: bytes  # SHA-256 digest of the known face's picture
    face: int  # number of the known face within its picture
    distance: float  # Euclidean


class Index:
    """All known faces. Owned by one thread: no method may run beside another.

    A known face matches a query when `sqrt(sum((a - b) ** 2)) <= tolerance`, computed in float64 from the
    float32 values: the rule of `face_recognition.compare_faces`.
    """

    def __init__(self, tolerance: float = 0.6, capacity: int = 0) -> None:  # noqa: ARG002 - nothing to set aside yet
        if not tolerance >= 0:
            raise ValueError(f"the tolerance is {tolerance}: give a distance of 0 or more")
        self.tolerance = tolerance
        self._faces: dict[bytes, NDArray[np.float32]] = {}

    def __len__(self) -> int:
        """Count the faces."""
        return sum(len(faces) for faces in self._faces.values())

    def __contains__(self, picture: object) -> bool:
        return picture in self._faces

    @property
    def pictures(self) -> int:
        """Count the pictures, those without a face included."""
        return len(self._faces)

    def add(self, picture: bytes, encodings: NDArray[np.float32]) -> None:
        """Know the faces of one more picture, (n, 128); n may be 0.

        Raises ValueError for a picture that is known, a digest that is not 32 bytes, and encodings of another
        shape or with values that are not finite.
        """
        self.extend([picture], np.array([len(encodings)]), encodings)

    def extend(
        self, pictures: Sequence[bytes], counts: NDArray[np.int64], encodings: NDArray[np.float32]
    ) -> None:
        """Know the faces of many pictures: `counts[i]` rows of `encodings` belong to `pictures[i]`."""
        encodings = checked(encodings)
        if len(pictures) != len(counts) or int(np.sum(counts)) != len(encodings):
            raise ValueError(f"{len(pictures)} pictures and {len(encodings)} faces do not agree with counts")
        for picture in pictures:
            if len(picture) != 32 or picture in self:
                raise ValueError(f"picture {picture.hex()} is known already, or is not a SHA-256 digest")
        ends = np.cumsum(counts)
        for picture, count, end in zip(pictures, counts, ends, strict=True):
            self._faces[picture] = encodings[end - count : end].copy()

    def remove(self, picture: bytes) -> bool:
        """Forget a picture; False if it was not known."""
        return self._faces.pop(picture, None) is not None

    def matches(self, faces: NDArray[np.float32]) -> list[list[bytes]]:
        """For each query face, (n, 128), the pictures with a matching face: no duplicates, in no order."""
        found: list[dict[bytes, None]] = [{} for _ in faces]
        for neighbour in self.neighbours(faces):
            found[neighbour.query][neighbour.picture] = None
        return [list(pictures) for pictures in found]

    def neighbours(self, faces: NDArray[np.float32]) -> list[Neighbour]:
        """Every known face within the tolerance of each query face, (n, 128), with its distance."""
        return list(self._search(checked(faces)))

    def _search(self, faces: NDArray[np.float32]) -> Iterator[Neighbour]:
        for picture, known in self._faces.items():
            apart = known.astype(np.float64) - faces.astype(np.float64)[:, None]
            distances = np.sqrt((apart**2).sum(axis=-1))
            for query, face in zip(*np.nonzero(distances <= self.tolerance), strict=True):
                yield Neighbour(int(query), picture, int(face), float(distances[query, face]))


def checked(encodings: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the encodings as (n, 128) float32, or raise ValueError."""
    encodings = np.ascontiguousarray(encodings, np.float32)
    if encodings.shape == (0,):
        return encodings.reshape(0, DIMENSIONS)
    if encodings.ndim != 2 or encodings.shape[1] != DIMENSIONS:
        raise ValueError(f"encodings have the shape {encodings.shape}: (n, {DIMENSIONS}) is needed")
    if not np.isfinite(encodings).all():
        raise ValueError("an encoding has a value that is not finite")
    return encodings
