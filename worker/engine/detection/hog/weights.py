"""The five sub-detectors of dlib's frontal face detector, read from the installed dlib.

dlib scores a window of 10x10 cells with 31 planes each. The planes' 10x10 weights were trained to be of low
rank, so dlib runs each as a few separable filters (a column times a row), and so do we: 305 of them.
"""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import dlib
import numpy as np
from numpy.typing import NDArray

from worker.engine.conversion.dlib_stream import Stream

DETECTORS = 5
PLANES = 31
WINDOW = 10  # cells, in both directions


class Filters(NamedTuple):
    """All separable filters, sorted by plane and then by sub-detector."""

    detector: NDArray[np.int64]  # (filters,): the sub-detector that a filter belongs to
    first: NDArray[np.int64]  # (PLANES + 1,): a plane's first filter
    rows: NDArray[np.float32]  # (filters * WINDOW,): weights along x
    columns: NDArray[np.float32]  # (filters * WINDOW,): weights along y


@dataclass(frozen=True, slots=True)
class Weights:
    """What the detector's file holds."""

    filters: Filters
    thresholds: NDArray[np.float64]  # (DETECTORS,): a window is a face from this score on
    max_overlap: float  # of two boxes, by the box around both
    max_covered: float  # of either box


@cache
def frontal_face_detector() -> Any:
    """The detector itself: a quarter of a second to make, once a process."""
    return dlib.get_frontal_face_detector()


@cache
def frontal_face_weights() -> Weights:
    """Return the detector's weights; the 155 small decompositions take 10 ms, once a process.

    Raises ValueError where the installed dlib holds another kind of detector than the kernels compute.
    """
    return _parse(Stream(_payload(frontal_face_detector().__getstate__())))


def _payload(state: object) -> bytes:
    if isinstance(state, tuple) and state and isinstance(state[0], bytes):
        return state[0]
    raise ValueError(f"dlib's detector pickles as {pickle.dumps(state)[:40]!r}..., not as bytes in a tuple")


def _parse(stream: Stream) -> Weights:
    """Read what dlib's object_detector and scan_fhog_pyramid serialize (versions 2 and 1)."""
    header = [stream.integer() for _ in range(11)]
    #        versions, empty feature array, cell size, padding, window, most levels, smallest level
    expected = [2, 1, 0, 0, 8, 0, 80, 80, 1000, 64, 64]
    stream.floating()  # the strength of a regularization that only training uses
    header.append(stream.integer())
    if header != [*expected, PLANES * WINDOW * WINDOW]:
        raise ValueError(f"the installed dlib's face detector has the header {header}, not {expected}")
    max_overlap, max_covered = stream.floating(), stream.floating()
    vectors = [_vector(stream) for _ in range(stream.integer())]
    if len(vectors) != DETECTORS:
        raise ValueError(
            f"the installed dlib's face detector has {len(vectors)} sub-detectors, not {DETECTORS}"
        )
    stacked = np.stack(vectors)
    return Weights(
        filters=_separate(stacked[:, :-1].reshape(DETECTORS, PLANES, WINDOW, WINDOW)),
        thresholds=stacked[:, -1].astype(np.float64),
        max_overlap=max_overlap,
        max_covered=max_covered,
    )


def _vector(stream: Stream) -> NDArray[np.float64]:
    length, _columns = -stream.integer(), -stream.integer()
    return np.array([stream.floating() for _ in range(length)])


def _separate(weights: NDArray[np.float64]) -> Filters:
    """Decompose each plane's weights as dlib does: parts below 1e-4, or 1/1000 of the largest, are left out."""
    u, s, vt = np.linalg.svd(weights.swapaxes(0, 1))
    kept = s >= np.maximum(1e-4, 0.001 * s[..., :1])
    root = np.sqrt(s)[..., None]
    columns, rows = (x[kept].astype(np.float32).ravel() for x in (u.swapaxes(-1, -2) * root, vt * root))
    plane, detector, _ = np.nonzero(kept)
    return Filters(detector, np.searchsorted(plane, np.arange(PLANES + 1)), rows, columns)
