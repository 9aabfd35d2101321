"""How well pictures of one person are told from those of others, beside the plain library.

    python -m benchmarks.accuracy FOLDER PAIRS [--engines ENGINE/MODEL ...] [--sample N] [--cache DIR] [--roc FILE]
                                  [--quality]

FOLDER is in the layout of Labelled Faces in the Wild, PAIRS its file of pairs. Where a picture shows several faces,
the one nearest to its middle counts. `at 0.6`: the share of pairs decided correctly at 0.6, a pair without a
face counted as wrong; `ten-fold`: at the threshold that is best on the other nine tenths, and that threshold.
The other figures come from comparing every picture with every other, which gives many more pairs of two people:
`false` is the share of those that match at the tolerance; `accepts` the share of true pairs that match at the
tolerance where one in a thousand false ones does. `--quality` shows what a bar on each quality would keep out.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.measuring.bars import report_bars
from benchmarks.measuring.trials import of_all, of_pairs
from benchmarks.peers.contestants import Contestant, Seen, contestant
from client.calibration.plots import roc
from client.calibration.verification import Trial, read_pairs
from faces.config import Settings
from faces.distances import COMPARE_TOLERANCE
from worker.engine.types import Box

AT_ONCE = 8
QUALITIES = ("size", "sharpness", "pose", "score")
DEFAULT = ("onnxruntime/dlib-resnet-v1", "onnxruntime/dlib-resnet-v1-mirror")
LFW_SIDE = 250  # pixels: LFW's pictures, of which the person meant is in the middle

Faces = dict[str, Seen | None]


def middle_face(faces: Sequence[Seen]) -> Seen | None:
    """The face nearest to the middle of a picture; None where there is none."""
    return min(faces, key=lambda face: _off_middle(face.box), default=None)


def _off_middle(box: Box) -> float:
    return float(np.hypot(box.left + box.right - LFW_SIDE, box.top + box.bottom - LFW_SIDE))


def faces_of(name: str, folder: Path, pictures: Sequence[str], settings: Settings) -> Faces:
    """Have a contestant find and encode the face that each picture is of."""
    taking: Contestant = contestant(name, settings)
    faces: Faces = {}
    for start in range(0, len(pictures), AT_ONCE):
        some = pictures[start : start + AT_ONCE]
        found = taking.take([(folder / picture).read_bytes() for picture in some])
        faces |= {picture: middle_face(seen) for picture, seen in zip(some, found, strict=True)}
    return faces


def kept(path: Path, faces: Faces) -> None:
    """Keep faces in a file."""
    seen = {name: face for name, face in faces.items() if face is not None}
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(
        path,
        without=np.array([name for name in faces if name not in seen]),
        names=np.array(list(seen)),
        encodings=np.array([face.encoding for face in seen.values()]),
        boxes=np.array([[f.box.left, f.box.top, f.box.right, f.box.bottom] for f in seen.values()]),
        qualities=np.array([[face.quality.get(q, 0.0) for q in QUALITIES] for face in seen.values()]),
    )


def recalled(path: Path) -> Faces:
    """Read back what `kept` wrote."""
    file = np.load(path)
    columns = (file["names"], file["boxes"], file["encodings"], file["qualities"])
    faces: Faces = {str(name): None for name in file["without"]}
    for name, box, encoding, qualities in zip(*columns, strict=True):
        quality = dict(zip(QUALITIES, qualities.tolist(), strict=True))
        faces[str(name)] = Seen(Box(*box.tolist()), encoding, quality)
    return faces


def encodings(faces: Faces) -> dict[str, NDArray[np.float32] | None]:
    """The encodings alone."""
    return {name: None if face is None else face.encoding for name, face in faces.items()}


def report(name: str, trial: Trial, everyone: Trial, faces: Faces, tolerance: float) -> None:
    """Print one contestant's row."""
    ten_fold, threshold = trial.ten_fold()
    strict = everyone.tolerance_at(1e-3)
    without = sum(face is None for face in faces.values())
    print(
        f"{name:36} {trial.accuracy(tolerance):7.2%} {ten_fold:8.2%} at {threshold:.3f}"
        f" {everyone.true_accepts(tolerance):8.2%} {everyone.false_matches(tolerance):7.3%}"
        f" {everyone.true_accepts(strict):8.2%} at {strict:.3f} {without:6}",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description="accuracy on labelled pairs, beside the plain library")
    parser.add_argument("folder", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("--engines", nargs="*", default=DEFAULT)
    parser.add_argument("--sample", type=int, help="take so many pairs, spread over the file")
    parser.add_argument("--cache", type=Path, help="folder to keep encodings in; nothing is kept without it")
    parser.add_argument("--roc", type=Path, help="SVG file to draw the curves in")
    parser.add_argument("--quality", action="store_true", help="show what bars on the qualities would do")
    options = parser.parse_args()
    pairs = read_pairs(options.pairs)
    if options.sample:
        pairs = pairs[:: max(1, len(pairs) // options.sample)]
    pictures = sorted({name for pair in pairs for name in (pair.first, pair.second)})
    settings = Settings.read()
    tolerance = COMPARE_TOLERANCE
    print(f"{len(pairs)} pairs of {len(pictures)} pictures")
    print(
        f"{'':36} {f'at {tolerance:g}':>7} {'ten-fold':>17} {'true':>8} {'false':>7} {'accepts':>17} no face"
    )
    curves = {}
    # pictures that differ in number or name are other pictures
    key = sha256("\n".join([str(options.folder), *pictures]).encode()).hexdigest()[:12]
    for name in ("face_recognition", *options.engines):
        path = options.cache and options.cache / f"{name.replace('/', '-')}-{key}.npz"
        faces = (
            recalled(path) if path and path.exists() else faces_of(name, options.folder, pictures, settings)
        )
        if path and not path.exists():
            kept(path, faces)
        curves[name] = of_all(encodings(faces))
        report(name, of_pairs(pairs, encodings(faces)), curves[name], faces, tolerance)
        if options.quality and name != "face_recognition":
            report_bars(faces, tolerance)
    if options.roc:
        options.roc.write_text(roc(curves))


if __name__ == "__main__":
    main()
