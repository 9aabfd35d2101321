"""A face encoder of dlib's architecture with other weights, as somebody may have trained one."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from worker.engine import models
from worker.engine.conversion.dlib_format import parse
from worker.engine.conversion.dlib_layers import FullyConnected


def retrained(path: Path, seed: int = 1) -> Path:
    """Write dlib's encoder with its last layer turned by a random rotation.

    Its encodings are others, and their distances the same.
    """
    data = models.source(models.ENCODER.file).read_bytes()
    last = parse(data).layers[-1]
    assert isinstance(last, FullyConnected)
    rotation, _ = np.linalg.qr(np.random.default_rng(seed).normal(size=(128, 128)))
    before, after = last.weights.astype("<f4"), (last.weights @ rotation).astype("<f4")
    assert data.count(before.tobytes()) == 1
    path.write_bytes(data.replace(before.tobytes(), after.tobytes()))
    return path
