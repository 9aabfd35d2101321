"""The matching rule: when two faces match."""

import numpy as np
from numpy.typing import NDArray


def is_match(a: NDArray[np.float32], b: NDArray[np.float32], tolerance: float) -> NDArray[np.bool_]:
    """Tell which pairs of encodings match: a Euclidean distance of at most `tolerance`.

    Computed in float64 from the float32 values, as `face_recognition.compare_faces` does, and the same to the last
    bit. `a` and `b` are (..., 128) and broadcast. The index's kernel (`scan.squared`) makes this comparison, term
    by term in the same order, for each pair that its sketches do not exclude; a test holds the two together.
    """
    difference = a.astype(np.float64) - b.astype(np.float64)
    within: NDArray[np.bool_] = np.sqrt((difference**2).sum(axis=-1)) <= tolerance
    return within
