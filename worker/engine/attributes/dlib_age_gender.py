"""Age and gender by dlib's own networks, `dnn_age_predictor_v1.dat` and `dnn_gender_classifier_v1.dat`.

Each sees an upright chip of the face, cut by dlib's five landmarks; the example programs beside the models in
github.com/davisking/dlib-models are the source of the chips and of what is made of the answers.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import dlib
import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnx import ModelProto

from faces.errors import SettingError
from worker.engine import models
from worker.engine.conversion import age_gender_networks as networks
from worker.engine.conversion.dlib_format import parse
from worker.engine.conversion.dlib_layers import DlibNetwork
from worker.engine.types import Box, Pixels, Traits

PADDING = 0.2  # of the chip's side around the face: the default of dlib's get_face_chip_details

YEARS = np.array([0.25, *range(1, networks.AGES)])
"""The age that each output of the age network stands for; the first is a quarter of a year."""


Probabilities: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True)
class Kind:
    """What a network estimates: the trait's name, its chip's side, its conversion, and how its answer is read."""

    trait: str
    chip: int
    convert: Callable[[DlibNetwork], ModelProto]
    read: Callable[[Probabilities], int | str]


def _years(probabilities: Probabilities) -> int:
    return int(probabilities @ YEARS + 0.5)


def _gender(probabilities: Probabilities) -> str:
    return networks.GENDERS[int(probabilities.argmax())]


_KINDS = {
    len(networks.GENDERS): Kind("gender", networks.GENDER_CHIP, networks.gender, _gender),
    networks.AGES: Kind("age", networks.AGE_CHIP, networks.age, _years),
}


class DlibAgeGender:
    """Estimates what there is a network for: gender, age, or both. Belongs to one thread.

    Raises:
        SettingError: a file is neither of dlib's networks, or two are of one kind.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        loaded = [_load(path) for path in paths]
        if len({kind.trait for kind, _ in loaded}) < len(loaded):
            raise SettingError(
                f"AGE_GENDER_MODEL is {','.join(map(str, paths))}: give one model of gender and one of age"
            )
        self._loaded = loaded
        self._predictor = dlib.shape_predictor(str(models.source("shape_predictor_5_face_landmarks.dat")))

    def estimate(self, pixels: Pixels, box: Box) -> Traits:
        """Estimate for the face in a box of a picture."""
        shape = self._predictor(pixels, dlib.rectangle(box.left, box.top, box.right, box.bottom))
        told: dict[str, Any] = {}
        for kind, session in self._loaded:
            chip = dlib.get_face_chip(pixels, shape, size=kind.chip, padding=PADDING)
            [[probabilities]] = session.run(None, {"chips": chip[None]})
            told[kind.trait] = kind.read(probabilities.astype(np.float64))
        return Traits(**told)


def _load(path: Path) -> tuple[Kind, Any]:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = 1, 1
    try:
        kind, model = converted(path.read_bytes())
    except (OSError, ValueError) as error:
        raise SettingError(
            f"AGE_GENDER_MODEL {path} cannot be used: {error}. Give dnn_gender_classifier_v1.dat,"
            " dnn_age_predictor_v1.dat, or both with a comma between, unpacked"
        ) from error
    return kind, onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def converted(data: bytes) -> tuple[Kind, ModelProto]:
    """Return what the network in a file of dlib's estimates, and the network as ONNX.

    Raises:
        ValueError: it is neither the age nor the gender network.
    """
    network = parse(data)
    kind = _KINDS.get(classes := networks.outputs(network))
    if kind is None:
        raise ValueError(f"it distinguishes {classes} classes, neither 2 (gender) nor 81 (age)")
    return kind, kind.convert(network)
