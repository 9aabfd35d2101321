"""How far the engine's stages, one by one, lie from those of dlib itself.

    python -m benchmarks.stages FOLDER [--pictures 100] [--engines kernels onnxruntime]

Boxes: the HOG detector with one upsampling, face_recognition's default, beside dlib's; the CNN detector without
upsampling likewise, on the pictures up to a megapixel, because dlib's own takes seconds on more. Encodings: chips
that dlib cuts at the places where its HOG finds faces, encoded by each engine and by dlib's network. `same` counts
pictures whose boxes are identical, in the same order; `apart` is the largest distance of an edge from that of the
nearest box, in pixels, where as many faces were found. Of encodings, the largest differences of one component and
of all together are told.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import dlib
import numpy as np
from numpy.typing import NDArray

from benchmarks.material.pictures import pictures_in
from benchmarks.parity import Tally
from faces.config import Settings
from faces.errors import PictureError
from faces.formats.limits import Limits
from worker.decoding.decoder import decode
from worker.engine import models
from worker.engine.alignment.chips import DlibChipper, load_chipper
from worker.engine.detection.cnn import load_detector
from worker.engine.detection.detectors import Cnn, DlibHog, load_hog
from worker.engine.detection.search import Finder
from worker.engine.encoder import MODEL_PLAIN, load_encoder
from worker.engine.types import Box, Pixels

LARGEST_FOR_CNN = 1_000_000  # pixels

Find = Callable[[Pixels], list[Box]]


def compared(pictures: Iterable[Pixels], reference: Find, ours: Find) -> Tally:
    """Compare a detector with dlib's on pictures."""
    tally = Tally()
    for pixels in pictures:
        tally.add(reference(pixels), ours(pixels))
    return tally


def boxes_of(finder: Finder, upsample: int) -> Find:
    """What a detector finds in a picture doubled so often."""
    return lambda pixels: [found.box for found in finder.detect(pixels, upsample)]


def dlib_cnn() -> Find:
    """The CNN detector in dlib itself."""
    network: Any = dlib.cnn_face_detection_model_v1(str(models.source(models.DETECTOR.file)))

    def find(pixels: Pixels) -> list[Box]:
        rectangles = [found.rect for found in network(pixels, 0)]
        return [Box(r.left(), r.top(), r.right(), r.bottom()) for r in rectangles]

    return find


def report_encodings(chips: NDArray[np.uint8], engines: Sequence[str], cache: Path) -> None:
    """Print how far each engine's encodings are from dlib's."""
    network: Any = dlib.face_recognition_model_v1(str(models.source(models.ENCODER.file)))
    expected = np.array([network.compute_face_descriptor(chip) for chip in chips])
    for engine in engines:
        encoder, _ = load_encoder(cache, model=MODEL_PLAIN, engine=engine)
        difference = encoder.encode(chips) - expected
        lengths = np.linalg.norm(difference, axis=1)
        print(
            f"encodings, {engine}: {len(chips)} faces, a component differs by {np.abs(difference).max():.1e} at"
            f" most, length of the difference {lengths.max():.1e} at most, {lengths.mean():.1e} in the mean"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="differences from dlib itself")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=100)
    parser.add_argument("--engines", nargs="+", default=["kernels", "onnxruntime", "openvino"])
    options = parser.parse_args()
    settings = Settings.read()
    cache = Path(settings.model_cache)
    pictures = list(decoded(pictures_in(options.folder, options.pictures), Limits.of(settings)))

    hog = load_hog()
    print(f"HOG, {type(hog).__name__}: {compared(pictures, boxes_of(DlibHog(), 1), boxes_of(hog, 1))}")
    small = [pixels for pixels in pictures if pixels.shape[0] * pixels.shape[1] <= LARGEST_FOR_CNN]
    for engine in options.engines:
        cnn = Cnn(load_detector(cache, engine=engine)[0])
        print(f"CNN, {engine}: {compared(small, dlib_cnn(), boxes_of(cnn, 0))}")
    chipper, dlibs = load_chipper(), DlibChipper()
    faces = [(pixels, found.box) for pixels in pictures for found in hog.detect(pixels, 1)]
    chips = [chipper.cut(*face).pixels for face in faces]
    same = sum(np.array_equal(chip, dlibs.cut(*face).pixels) for chip, face in zip(chips, faces, strict=True))
    print(f"chips, {type(chipper).__name__}: {same} of {len(faces)} are dlib's, byte for byte")
    if chips:
        report_encodings(np.stack(chips), options.engines, cache)


def decoded(paths: Iterable[Path], limits: Limits) -> Iterable[Pixels]:
    """Decode the pictures that can be."""
    for path in paths:
        try:
            yield decode(path.read_bytes(), limits=limits).pixels
        except PictureError as error:
            print(f"{path.name} is skipped: {error}")


if __name__ == "__main__":
    main()
