"""face_recognition as an engine, and that its import changes nothing else."""

from __future__ import annotations

import importlib
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from faces.config import Settings
from faces.errors import SettingError
from worker.engine import library
from worker.engine.library import Library
from worker.engine.types import Pixels

CHOSEN = Settings(engine="face_recognition", model="dlib-resnet-v1")


@dataclass
class Whole:
    """A picture as an engine looks at it."""

    pixels: Pixels
    scale: float = 1.0

    def whole(self) -> Pixels:
        return self.pixels


@pytest.fixture(scope="module")
def engine() -> Library:
    return Library(CHOSEN)


def test_boxes_and_encodings_are_the_librarys_own(engine: Library, photographs: Path, reference: Any) -> None:
    for name in ("obama.jpg", "biden.jpg", "astronaut.png", "coffee.png"):
        pixels = np.array(Image.open(photographs / name).convert("RGB"))
        places = reference.face_locations(pixels)
        (faces,) = engine.find([Whole(pixels)])
        found = [(face.box.top, face.box.right, face.box.bottom, face.box.left) for face in faces]
        assert found == places
        expected = np.array(reference.face_encodings(pixels, places), np.float32).reshape(-1, 128)
        np.testing.assert_array_equal(np.array([f.encoding for f in faces]).reshape(-1, 128), expected)
        np.testing.assert_array_equal(engine.encode(pixels, [face.box for face in faces]), expected)
        assert all(face.reason is None and face.detector == "face_recognition-hog" for face in faces)
    assert engine.model == "dlib-resnet-v1"
    assert engine.useful(3000, 200) == 3000


def test_importing_it_leaves_pillow_and_the_models_package_as_they_were() -> None:
    code = (
        "import sys; from PIL import ImageFile; from worker.engine.library import load_library\n"
        "sys.modules['pkg_resources'] = None\n"  # as with the newest setuptools: importing it raises
        "load_library()\n"
        "assert ImageFile.LOAD_TRUNCATED_IMAGES is False\n"
        "assert 'face_recognition_models' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=120)


def test_it_is_imported_only_where_it_is_chosen() -> None:
    code = "import sys, worker.__main__; assert 'face_recognition' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_a_library_that_is_missing_or_quits_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(library, "find_spec", lambda _: None)
        with pytest.raises(SettingError, match="not installed"):
            Library(CHOSEN)

    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", False)

    def quits(_: str) -> None:
        ImageFile.LOAD_TRUNCATED_IMAGES = True
        sys.exit()

    monkeypatch.setattr(importlib, "import_module", quits)
    with pytest.raises(SettingError, match="does not find its models"):
        Library(CHOSEN)
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


@pytest.mark.parametrize(
    ("name", "value"), [("MODEL", "dlib-resnet-v1-mirror"), ("LANDMARKS", "5"), ("MIN_FACE_SIZE", "60")]
)
def test_what_the_library_does_not_have_is_refused(name: str, value: str) -> None:
    environ = {"ENGINE": "face_recognition", "MODEL": "dlib-resnet-v1", name: value}
    with pytest.raises(SettingError, match=name):
        Library(Settings.read(environ))
