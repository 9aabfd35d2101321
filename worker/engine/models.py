"""Locates dlib's model files and converts them to ONNX, in a cache.

`python -m worker.engine.models --cache DIR` converts both at set-up or while an image is built; a worker that
finds nothing in its cache converts by itself, which takes a quarter of a second.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

from onnx import ModelProto

from faces.errors import SettingError
from worker.engine.conversion import networks
from worker.engine.conversion.dlib_format import parse
from worker.engine.conversion.dlib_layers import DlibNetwork

CONVERTER = 2
"""Part of each cached file's name; incremented when the conversion's result changes."""


@dataclass(frozen=True)
class Model:
    """One of dlib's networks: its file's name and its conversion to ONNX."""

    file: str
    convert: Callable[[DlibNetwork], ModelProto]


PLAIN, MIRROR = "dlib-resnet-v1", "-mirror"

ENCODER = Model("dlib_face_recognition_resnet_model_v1.dat", networks.encoder)
DETECTOR = Model("mmod_human_face_detector.dat", networks.detector)


def source(file: str) -> Path:
    """Return the path of a file of the package face_recognition_models.

    The package is located, not imported: importing it needs pkg_resources, which newer setuptools lack.

    Raises:
        SettingError: the package, or the file in it, is missing.
    """
    spec = find_spec("face_recognition_models")
    if spec is None or spec.origin is None:
        raise SettingError(
            "the package face-recognition-models is not installed: pip install face-recognition-models"
        )
    path = Path(spec.origin).with_name("models") / file
    if not path.is_file():
        raise SettingError(f"{path} is missing: reinstall face-recognition-models")
    return path


@dataclass(frozen=True)
class Weights:
    """The file that a face encoder's weights come from, and the name that its encodings are kept under."""

    path: Path
    name: str


def weights(model: str) -> Weights:
    """Return what the setting MODEL means: dlib's own, or that of a .dat file; either mirrored or not.

    A model that somebody brings is named for its SHA-256, so a file that changes is another model.

    Raises:
        SettingError: the file cannot be read.
    """
    plain = model.removesuffix(MIRROR)
    if plain == PLAIN:
        return Weights(source(ENCODER.file), model)
    path = Path(plain)
    try:
        checksum = sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise SettingError(f"MODEL is {model}, which cannot be read: {error.strerror}") from error
    return Weights(path, f"dlib-resnet-{checksum[:16]}{model.removeprefix(plain)}")


def onnx(model: Model, cache: Path) -> Path:
    """Return the ONNX file of `model` in the folder `cache`, converted now if it is not there yet.

    The file's name holds the SHA-256 of what it was made from, so a cache never answers for another model. The
    file appears whole or not at all, however many processes convert at once.

    Raises:
        SettingError: dlib's file is missing or contains another model, or the cache is not writable.
    """
    return converted(source(model.file), model.convert, cache)


def encoder(weights: Weights, cache: Path) -> Path:
    """Return the ONNX file of a face encoder; see `onnx`."""
    own = weights.name.removesuffix(MIRROR) == PLAIN
    return converted(weights.path, ENCODER.convert, cache, not_the_model if own else not_an_encoder)


def converted(
    path: Path,
    convert: Callable[[DlibNetwork], ModelProto],
    cache: Path,
    refuse: Callable[[Path, Exception], SettingError] | None = None,
) -> Path:
    """Return the ONNX file made of the dlib file at `path`; see `onnx`.

    `refuse` gives the error for a file that is something else.
    """
    data = path.read_bytes()
    target = cache / f"{path.stem}-{sha256(data).hexdigest()}-{CONVERTER}.onnx"
    if not target.exists():
        _write_whole(target, _converted(path, data, convert, refuse or not_the_model))
    return target


def _converted(
    path: Path,
    data: bytes,
    convert: Callable[[DlibNetwork], ModelProto],
    refuse: Callable[[Path, Exception], SettingError],
) -> bytes:
    try:
        return bytes(convert(parse(data)).SerializeToString())
    except ValueError as error:
        raise refuse(path, error) from error


def not_an_encoder(path: Path, error: Exception) -> SettingError:
    """Return what to say of a file given as MODEL that is no network like dlib's face encoder."""
    return SettingError(
        f"MODEL is {path}, which is not a network of the architecture of {ENCODER.file}: {error}"
    )


def not_the_model(path: Path, error: Exception) -> SettingError:
    """Return the error for a file of face_recognition_models that does not contain the model it is named for."""
    return SettingError(f"{path} contains a different model: {error}. Reinstall face-recognition-models")


def _write_whole(target: Path, data: bytes) -> None:
    part = target.with_suffix(f".{uuid4().hex}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        part.replace(target)
    except OSError as error:
        with suppress(OSError):
            part.unlink()
        raise SettingError(
            f"cannot keep converted models in {target.parent}: {error}. Choose a writable folder"
        ) from error


def main(arguments: list[str]) -> int:
    """Convert both models and print where they are."""
    parser = argparse.ArgumentParser(
        prog="python -m worker.engine.models", description="Convert dlib's networks."
    )
    parser.add_argument(
        "--cache", type=Path, default=Path("var/models"), help="folder to keep them in (%(default)s)"
    )
    cache = parser.parse_args(arguments).cache
    try:
        paths = [onnx(model, cache) for model in (ENCODER, DETECTOR)]
    except SettingError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command speaks to a person
        return 1
    print(*paths, sep="\n")  # noqa: T201 - a command speaks to a person
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
