"""Optional attributes of a face: age, gender, and 68 landmarks.

Neither is on by default. Age and gender are estimates by models that the operator brings: one in the layout of
InsightFace's `genderage.onnx`, or dlib's own networks, see `worker.engine.attributes.dlib_age_gender`. The former
sees a square of 1.5 times the face's longer side, resized to the model's input, RGB; out come scores for female
and male, and the age in hundreds. Source: InsightFace's python-package/insightface/model_zoo/attribute.py. The 68
landmarks come from a predictor that was trained on iBUG 300-W, which excludes commercial use; it is read only
where it is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import dlib
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from PIL import Image

from faces.errors import SettingError
from worker.engine import models
from worker.engine.attributes.dlib_age_gender import DlibAgeGender
from worker.engine.types import Box, Pixels, Traits

AROUND = 1.5  # times the face's longer side: what the model sees of the picture
NORMALISED_WITHIN = (
    8  # of the first nodes: where a model that normalises by itself does so, as InsightFace looks
)


class Estimator(Protocol):
    """Estimates age, gender or both. Belongs to one thread."""

    def estimate(self, pixels: Pixels, box: Box) -> Traits:
        """Estimate for the face in a box of a picture."""
        ...


def load_age_gender(paths: Sequence[str]) -> Estimator:
    """Return what estimates with the models at `paths`: one of ONNX, or dlib's for gender, for age, or for both.

    Raises:
        SettingError: a file is not such a model, or the models do not go together.
    """
    dlibs = [path.endswith(".dat") for path in paths]
    if all(dlibs):
        return DlibAgeGender([Path(path) for path in paths])
    if len(paths) > 1:
        raise SettingError(
            f"AGE_GENDER_MODEL is {','.join(paths)}: give one .onnx file, or dlib's .dat files alone"
        )
    return AgeGender(Path(paths[0]))


class AgeGender:
    """Estimates age and gender. Belongs to one thread."""

    def __init__(self, model: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = 1, 1
        try:
            self._session: Any = onnxruntime.InferenceSession(
                model, options, providers=["CPUExecutionProvider"]
            )
            *_, self._side, _ = self._session.get_inputs()[0].shape
            self._mean, self._spread = _normalisation(model)
            self.estimate(np.zeros((8, 8, 3), np.uint8), Box(0, 0, 7, 7))
        except Exception as error:  # ONNX Runtime's errors have no common base
            raise SettingError(
                f"AGE_GENDER_MODEL {model} cannot be used: {error}. Give a model in the layout of genderage.onnx,"
                " or dlib's .dat files"
            ) from error

    def estimate(self, pixels: Pixels, box: Box) -> Traits:
        """Estimate for the face in a box of a picture."""
        planes = (_cut(pixels, box, self._side).astype(np.float32) - self._mean) / self._spread
        batch = np.ascontiguousarray(planes.transpose(2, 0, 1)[None])
        [answer] = self._session.run(None, {self._session.get_inputs()[0].name: batch})
        female, male, age = np.asarray(answer, np.float64).reshape(3)
        return Traits(age=max(0, round(age * 100)), gender="male" if male > female else "female")


class Landmarks68:
    """Finds dlib's 68 landmarks. Belongs to one thread."""

    def __init__(self) -> None:
        self._predictor = dlib.shape_predictor(str(models.source("shape_predictor_68_face_landmarks.dat")))

    def find(self, pixels: Pixels, box: Box) -> NDArray[np.float64]:
        """Return x and y of each, (68, 2), in pixels of the picture."""
        shape = self._predictor(pixels, dlib.rectangle(box.left, box.top, box.right, box.bottom))
        return np.array([(point.x, point.y) for point in shape.parts()], dtype=np.float64)


def _normalisation(model: Path) -> tuple[float, float]:
    """Return what is taken from a pixel and what divides it: nothing where the model does both by itself."""
    import onnx  # noqa: PLC0415 - takes a moment, and few workers need it

    first = onnx.load(str(model)).graph.node[:NORMALISED_WITHIN]
    inside = {"Sub", "Mul"} <= {node.op_type for node in first} or "bn_data" in {
        node.name for node in first[:3]
    }
    return (0.0, 1.0) if inside else (127.5, 128.0)


def _cut(pixels: Pixels, box: Box, side: int) -> Pixels:
    """Cut a square around a box, black where it reaches out of the picture."""
    half = box.size * AROUND / 2
    x, y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
    left, top = max(0, int(x - half) - 1), max(0, int(y - half) - 1)
    near = Image.fromarray(pixels[top : int(y + half) + 2, left : int(x + half) + 2])
    square = (x - half - left, y - half - top, x + half - left, y + half - top)
    return np.asarray(
        near.transform((side, side), Image.Transform.EXTENT, square, Image.Resampling.BILINEAR), np.uint8
    )
