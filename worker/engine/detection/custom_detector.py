"""The operator's own face detector: an ONNX file in the output layout of YuNet or of SCRFD.

Which of the two it is shows in its outputs:

- YuNet: twelve, named `cls_8`, `obj_8`, `bbox_8`, `kps_8`, and the same for strides of 16 and 32. It takes BGR
  from 0 to 255. Source: OpenCV's objdetect/src/face_detect.cpp.
- SCRFD: six, or nine with landmarks: for each stride the scores (n, 1), then the boxes (n, 4), then landmarks. It
  takes RGB, `(pixel - 127.5) / 128`. Source: InsightFace's
  python-package/insightface/model_zoo/retinaface.py.

The model's landmarks are not used: chips are cut by dlib's, which the encoder was trained on, from a square with
the box's middle and its mean side, because dlib's boxes are square.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from faces.errors import SettingError
from worker.engine.detection.bilinear import doubled
from worker.engine.types import Box, Detection, Pixels

Floats = NDArray[np.float32]
Outputs = dict[str, Floats]

STRIDES = (8, 16, 32)
WINDOW = 20
"""Pixels: both models find faces down to about 10 pixels of their input, and find them well from 20 on."""


@dataclass(frozen=True, eq=False)
class Candidates:
    """Boxes (n, 4) left, top, right, bottom in pixels of the input, and scores (n,)."""

    boxes: Floats
    scores: Floats


class Layout(Protocol):
    """What a family of models takes and gives."""

    least_score: float
    overlap: float

    def input(self, pixels: Pixels) -> Floats:
        """Turn RGB bytes (h, w, 3) into the model's input, (h, w, 3)."""
        ...

    def candidates(self, outputs: Outputs, height: int, width: int) -> list[Candidates]:
        """Read the outputs for an input of this size."""
        ...


class YuNet:
    """OpenCV's detector; its thresholds are those of cv::FaceDetectorYN."""

    least_score = 0.9
    overlap = 0.3

    def input(self, pixels: Pixels) -> Floats:
        """BGR, 0 to 255."""
        return pixels[:, :, ::-1].astype(np.float32)

    def candidates(self, outputs: Outputs, height: int, width: int) -> list[Candidates]:
        """Read, for each stride, one box a cell: offset of its middle, and logarithms of its sides."""
        found = []
        for stride in STRIDES:
            cells = _cells(height, width, stride, each=1)
            scores = np.clip(outputs[f"cls_{stride}"], 0, 1) * np.clip(outputs[f"obj_{stride}"], 0, 1)
            offsets = outputs[f"bbox_{stride}"].reshape(-1, 4)
            middles = (cells + offsets[:, :2]) * stride
            halves = np.exp(offsets[:, 2:]) * stride / 2
            boxes = np.concatenate([middles - halves, middles + halves], axis=1)
            found.append(Candidates(boxes, np.sqrt(scores).ravel()))
        return found


class Scrfd:
    """InsightFace's detector; its thresholds are those of its own script."""

    least_score = 0.5
    overlap = 0.4

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def input(self, pixels: Pixels) -> Floats:
        """RGB, around 0."""
        return (pixels.astype(np.float32) - np.float32(127.5)) / np.float32(128)

    def candidates(self, outputs: Outputs, height: int, width: int) -> list[Candidates]:
        """Read, for each stride, two boxes a cell: distances of the edges from the cell's corner."""
        found = []
        for place, stride in enumerate(STRIDES):
            corners = _cells(height, width, stride, each=2) * stride
            distances = outputs[self._names[place + len(STRIDES)]].reshape(-1, 4) * stride
            boxes = np.concatenate([corners - distances[:, :2], corners + distances[:, 2:]], axis=1)
            found.append(Candidates(boxes, outputs[self._names[place]].ravel()))
        return found


class OperatorsDetector:
    """Finds faces with the operator's model. Belongs to one thread."""

    name = "custom"
    window = WINDOW

    def __init__(self, model: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = 1, 1
        options.enable_mem_pattern = False  # pictures come in all shapes
        try:
            self._session: Any = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # ONNX Runtime's errors have no common base
            raise SettingError(f"DETECTOR_MODEL {model} cannot be loaded: {error}") from error
        self._layout = _layout_of(self._session, model)
        self._try_out(model)

    def detect(self, pixels: Pixels, upsample: int) -> list[Detection]:
        """Find faces, most certain first."""
        for _ in range(upsample):
            pixels = doubled(pixels)
        fitted, scale = self._fitted(pixels)
        found = self._run(fitted)
        boxes = np.concatenate([f.boxes for f in found]) / (scale * 2**upsample)
        scores = np.concatenate([f.scores for f in found])
        likely = np.flatnonzero(scores >= self._layout.least_score)
        order = likely[np.argsort(-scores[likely], kind="stable")]
        chosen = order[_unsuppressed(boxes[order], self._layout.overlap)]
        return [Detection(_square(boxes[k]), float(scores[k]), self.name) for k in chosen]

    def _fitted(self, pixels: Pixels) -> tuple[Pixels, float]:
        """Place a picture at the top left of an input that the model takes; and by how much it was resized."""
        height, width = pixels.shape[:2]
        rows, columns = self._input_size(height, width)
        scale = min(1.0, rows / height, columns / width)
        if scale < 1:
            size = max(1, int(width * scale)), max(1, int(height * scale))
            pixels = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BILINEAR))
        fitted = np.zeros((rows, columns, 3), np.uint8)
        fitted[: pixels.shape[0], : pixels.shape[1]] = pixels
        return fitted, scale

    def _input_size(self, height: int, width: int) -> tuple[int, int]:
        *_, rows, columns = self._session.get_inputs()[0].shape
        whole = max(STRIDES)
        return (
            rows if isinstance(rows, int) else -(-height // whole) * whole,
            columns if isinstance(columns, int) else -(-width // whole) * whole,
        )

    def _run(self, fitted: Pixels) -> list[Candidates]:
        planes = np.ascontiguousarray(self._layout.input(fitted).transpose(2, 0, 1)[None])
        names = [output.name for output in self._session.get_outputs()]
        values = self._session.run(names, {self._session.get_inputs()[0].name: planes})
        return self._layout.candidates(dict(zip(names, values, strict=True)), *fitted.shape[:2])

    def _try_out(self, model: Path) -> None:
        try:
            self.detect(np.zeros((64, 64, 3), np.uint8), 0)
        except Exception as error:  # whatever a runtime or NumPy says of shapes that do not fit
            raise SettingError(
                f"DETECTOR_MODEL {model} does not return what its outputs declare: {error}."
                " Give a detector in the layout of YuNet or SCRFD"
            ) from error


def _layout_of(session: Any, model: Path) -> Layout:
    names = [output.name for output in session.get_outputs()]
    if {f"{kind}_{stride}" for kind in ("cls", "obj", "bbox") for stride in STRIDES} <= set(names):
        return YuNet()
    widths = [output.shape[-1] for output in session.get_outputs()]
    if widths in ([1] * 3 + [4] * 3, [1] * 3 + [4] * 3 + [10] * 3):
        return Scrfd(names)
    raise SettingError(
        f"DETECTOR_MODEL {model} has the outputs {', '.join(names)}: neither those of YuNet nor those of SCRFD"
    )


def _cells(height: int, width: int, stride: int, *, each: int) -> Floats:
    """Return x and y of each cell, (cells * each, 2), row by row, each cell so many times."""
    y, x = np.mgrid[: height // stride, : width // stride]
    return np.stack([x, y], axis=-1).reshape(-1, 2).repeat(each, axis=0).astype(np.float32)


def _unsuppressed(boxes: Floats, overlap: float) -> list[int]:
    """Return which of `boxes`, best first, stay: those that share no more with a better one that stays."""
    chosen: list[int] = []
    left = np.arange(len(boxes))
    while left.size:
        best, left = int(left[0]), left[1:]
        chosen.append(best)
        left = left[_shared(boxes[best], boxes[left]) <= overlap]
    return chosen


def _shared(box: Floats, others: Floats) -> Floats:
    """Intersection over union."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    shared = np.maximum(sides, 0).prod(axis=1)
    areas = (others[:, 2:] - others[:, :2]).prod(axis=1) + (box[2:] - box[:2]).prod()
    result: Floats = shared / np.maximum(areas - shared, 1e-9)
    return result


def _square(box: Floats) -> Box:
    middle = (box[:2] + box[2:]) / 2
    half = (box[2:] - box[:2]).mean() / 2
    corners = *(middle - half), *(middle + half)
    return Box(*(round(float(corner)) for corner in corners))
