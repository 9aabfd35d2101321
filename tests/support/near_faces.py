"""Faces near each other and far apart, and what brute force in float64 finds among them."""

import numpy as np
from numpy.typing import NDArray

from worker.index import Index

Faces = NDArray[np.float32]
NO_FACES = np.empty((0, 128), np.float32)


def picture(number: int) -> bytes:
    return number.to_bytes(32, "little")


def distances(face: Faces, known: Faces) -> NDArray[np.float64]:
    """The rule, as face_recognition has it."""
    return np.asarray(np.linalg.norm(known.astype(np.float64) - face.astype(np.float64), axis=1))


def people(count: int, seed: int = 0, spread: float = 0.06, each: int = 3) -> Faces:
    """Faces of people who are far from each other, some `each` of them near: like encodings, but of full rank."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(-(-count // each), 128)) * spread + 0.1
    faces = np.repeat(centres, each, axis=0)[:count] + random.normal(size=(count, 128)) * spread / 2
    return random.permutation(faces).astype(np.float32)


def filled(faces: Faces, tolerance: float = 0.6) -> Index:
    """An index of pictures 0, 1, 2, ... with one face each."""
    index = Index(tolerance)
    index.extend([picture(i) for i in range(len(faces))], np.ones(len(faces), np.int64), faces)
    return index


def assert_exact(index: Index, faces: Faces, queries: Faces) -> int:
    """Compare the answers on `filled(faces)`, and return how many matches there are."""
    count = 0
    for i, answer in enumerate(index.matches(queries)):
        expected = np.flatnonzero(distances(queries[i], faces) <= index.tolerance)
        assert sorted(answer) == sorted(map(picture, expected.tolist()))
        count += len(expected)
    return count
