"""Compiles the index's kernels, so that no picture waits for a compiler."""

import numpy as np

from worker.index.index import Index


def warm_index(tolerance: float) -> None:
    """Have an index compare a few faces."""
    index = Index(tolerance)
    faces = np.random.default_rng(0).normal(size=(40, 128), scale=0.08).astype(np.float32)
    for number, face in enumerate(faces):
        index.add(bytes([number]) * 32, face[None])
    index.matches(faces)
    index.remove(bytes(32))
