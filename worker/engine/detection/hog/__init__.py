"""dlib's frontal face detector (HOG), box for box, several times faster than dlib, on one thread.

The same five sub-detectors, read from the installed dlib, on the same pyramid of levels; sub-module by
sub-module: `resize` makes a level, `gradients`, `histogram` and `features` describe it, `filters` scores its
windows by the transforms of `fourier`, `scan` runs these band by band so that their data stays in the processor's
cache, `pyramid` goes through the levels and chooses among overlapping windows. `spectra` proves that most windows
can be turned down by their transforms, `weights` reads dlib's file. Vectors are those of `worker.simd`.

Numba compiles the kernels at their first call, which takes some seconds; no compiler is needed. The machine code
is kept in NUMBA_CACHE_DIR if that is set, else next to these files, for this kind of processor and these files'
time stamps. `python -m worker.engine.detection.hog` fills that cache, at set-up or when an image is built.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Detection", "HogDetector"]


@dataclass(frozen=True, slots=True)
class Detection:
    """A face: corners in pixels, inclusive and perhaps outside of the picture, as dlib.rectangle has them."""

    left: int
    top: int
    right: int
    bottom: int
    score: float  # by how much the threshold is passed
    pose: int  # the sub-detector, 0..4: front, left, right, front turned left, front turned right


class HogDetector:
    """Finds faces as `dlib.get_frontal_face_detector().run(pixels, upsample, adjust)` does.

    Boxes, order and sub-detectors are dlib's; scores agree to 1e-5. Kernels release the GIL, and any number of
    threads may share an instance, which keeps up to 128 MiB of scratch memory for each thread.

    Raises RuntimeError where the kernels cannot run: numba or dlib cannot be imported, no folder for compiled
    code can be written, or the installed dlib holds another detector than the one these kernels compute.
    """

    def __init__(self) -> None:
        try:
            self._pyramid: Any = import_module("worker.engine.detection.hog.pyramid")
            self._weights = import_module("worker.engine.detection.hog.weights").frontal_face_weights()
            self._spectra = import_module("worker.engine.detection.hog.spectra").spectra(
                self._weights.filters
            )
            self._room = import_module("worker.engine.detection.hog.picture").Room()
        except (ImportError, RuntimeError, ValueError) as error:
            raise RuntimeError(
                f"the face detector's kernels cannot run here: {error}; "
                "if a cache cannot be written, set NUMBA_CACHE_DIR to a folder that can"
            ) from error

    def detect(self, pixels: NDArray[np.uint8], upsample: int = 1, adjust: float = 0.0) -> list[Detection]:
        """Return the faces, highest score first.

        pixels: (height, width, 3) red, green, blue, or (height, width) grey; uint8, of any layout in memory.
        upsample: how often the picture's size is doubled first; the smallest face found is 80 pixels wide
        without, 40 with one, 20 with two. adjust: added to the thresholds: above 0 finds fewer faces.

        Raises ValueError for an array of another shape or type, and for a negative `upsample`.
        """
        if (
            pixels.dtype != "uint8"
            or pixels.ndim < 2
            or pixels.shape[2:] not in {(), (3,)}
            or not pixels.size
        ):
            raise ValueError(
                f"pixels are {pixels.dtype} of shape {pixels.shape}, "
                "not uint8 of shape (height, width) or (height, width, 3)"
            )
        if upsample < 0:
            raise ValueError(f"upsample is {upsample}, not 0 or more")
        planes = pixels.reshape(*pixels.shape[:2], -1)
        found = self._pyramid.search(
            planes.copy(), upsample, adjust, weights=self._weights, spectra=self._spectra, room=self._room
        )
        return [
            Detection(int(left), int(top), int(right), int(bottom), float(score), int(pose))
            for (left, top, right, bottom), score, pose in zip(*found, strict=True)
        ]
