"""Faces to encodings: dlib's ResNet on chips of 150 x 150 pixels."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import dlib
import numpy as np
from numpy.typing import NDArray

from faces.errors import MismatchError
from worker.engine import models
from worker.engine.conversion.networks import CHIP
from worker.engine.runtime.network import Network
from worker.engine.runtime.selection import Probe, load

MODEL_PLAIN = models.PLAIN
"""Encodings as face_recognition and dlib compute them, to 1e-3 in each component."""

MODEL_MIRROR = models.PLAIN + models.MIRROR
"""The mean of the encodings of the chip and of its mirror image: fewer errors for twice the time."""

SELF_TEST_TOLERANCE = 1e-2
"""Above the error of bfloat16 (4e-3), below the effect of swapped channels or a missing mirror (2e-2)."""

_SELF_TEST = {
    MODEL_PLAIN: (
        (-0.0812, 0.1090, -0.1567, -0.0791, -0.0797, -0.1614, 0.0494, 0.0312),
        (0.2475, -0.1133, -0.0769, 0.1890, -0.1000, -0.1820, 0.2284, 0.0042),
    ),
    MODEL_MIRROR: (
        (-0.0729, 0.1087, -0.1594, -0.1000, -0.0814, -0.1533, 0.0425, 0.0343),
        (0.2478, -0.1223, -0.0889, 0.1927, -0.0747, -0.1852, 0.2380, -0.0144),
    ),
}
"""Every eighth component of dlib 20.0's own encoding of `self_test_chip`."""

PROBE_CHIPS = 4
"""Chips in the batch on which runtimes are compared: as many as a few pictures have."""

MAX_BATCH = 16
"""Chips in one call; more make it larger, not faster."""


_RIGHT_TO_LEFT = np.arange(CHIP - 1, -1, -1)


class Encoder:
    """Encodes chips with a network and under the name of a model; one that ends with MIRROR is mirrored.

    Encodings of different models must not be compared, so the store remembers `model`.
    """

    def __init__(self, network: Network, model: str = MODEL_PLAIN) -> None:
        self.model = model
        self._mirrored = model.endswith(models.MIRROR)
        self._network = network

    def encode(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return the encodings (n, 128) of `chips` (n, 150, 150, 3) uint8 RGB.

        A chip is what dlib.get_face_chip(picture, landmarks, size=150, padding=0.25) cuts out.

        Raises:
            ValueError: `chips` has another shape or type.
        """
        if chips.dtype != np.uint8 or chips.shape[1:] != (CHIP, CHIP, 3):
            raise ValueError(f"chips are {CHIP} x {CHIP} RGB bytes each, not {chips.shape} {chips.dtype}")
        if not self._mirrored:
            return self._run(chips)
        both = self._run(np.concatenate([chips, chips.take(_RIGHT_TO_LEFT, axis=2)]))
        return (both[: len(chips)] + both[len(chips) :]) / np.float32(2)

    def _run(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        parts = [
            self._network.run(np.ascontiguousarray(chips[start : start + MAX_BATCH]))
            for start in range(0, len(chips), MAX_BATCH)
        ]
        return np.concatenate(parts) if parts else np.empty((0, 128), np.float32)


def load_encoder(cache: Path, *, model: str = MODEL_PLAIN, engine: str = "auto") -> tuple[Encoder, str]:
    """Return a self-tested encoder, and a sentence that says which runtime it uses and why.

    `cache` is the folder of converted models; `model` is the setting MODEL; `engine` is that of `selection.load`.

    Raises:
        SettingError: dlib's file, the cache, the engine or the model cannot be used.
        MismatchError: the self-test failed.
    """
    probe = Probe(np.repeat(self_test_chip()[None], PROBE_CHIPS, axis=0), SELF_TEST_TOLERANCE)
    weights = models.weights(model)
    file = models.encoder(weights, cache)
    network, reason = load(file, probe, kernels=partial(_kernels, file), engine=engine)
    encoder = Encoder(network, weights.name)
    self_test(encoder, weights.path)
    return encoder, reason


def _kernels(file: Path) -> Network:
    from worker.engine.runtime.convolution.resnet import ResNet  # noqa: PLC0415 - where kernels cannot run, others can

    return ResNet(file)


def self_test_chip() -> NDArray[np.uint8]:
    """Return a chip (150, 150, 3) of stripes and curves, made by arithmetic alone."""
    y, x = np.mgrid[:CHIP, :CHIP]
    planes = 3 * x + y, x + 2 * y + x * y // 64, x * x // 90 + y
    return (np.stack(planes, axis=-1) % 256).astype(np.uint8)


def self_test(encoder: Encoder, path: Path | None = None) -> None:
    """Encode a chip whose encoding is known, so that a worker with a wrong model or runtime does not start.

    For a model that somebody brings, dlib itself computes what is expected, with its file at `path`.

    Raises:
        SettingError: dlib cannot read that file.
        MismatchError: the encoding is off by more than 1e-2 in a component.
    """
    if path is None or encoder.model in _SELF_TEST:
        expected = np.ravel(_SELF_TEST[encoder.model])
    else:
        expected = _by_dlib(path, mirrored=encoder.model.endswith(models.MIRROR))[::8]
    encoding = encoder.encode(self_test_chip()[None])[0]
    error = float(np.abs(encoding[::8] - expected).max())
    if not error <= SELF_TEST_TOLERANCE:
        raise MismatchError(
            f"the encoder's self-test is off by {error:.3g}, more than {SELF_TEST_TOLERANCE}: its encodings would"
            f" not compare with those of {encoder.model!r}. Convert the models again, or choose another engine"
        )


def _by_dlib(path: Path, *, mirrored: bool) -> NDArray[np.float64]:
    try:
        network = dlib.face_recognition_model_v1(str(path))
    except RuntimeError as error:
        raise models.not_an_encoder(path, error) from error
    chip = self_test_chip()
    chips = [chip, np.ascontiguousarray(chip[:, ::-1])] if mirrored else [chip]
    encodings: NDArray[np.float64] = np.array([network.compute_face_descriptor(one) for one in chips])
    mean: NDArray[np.float64] = encodings.mean(axis=0)
    return mean
