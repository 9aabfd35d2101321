"""The detectors behind one interface, and the self-test that a kernel has to pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest

from faces.errors import MismatchError
from worker.engine.detection import detectors
from worker.engine.detection.detectors import DlibHog, Hog, load_hog, self_test
from worker.engine.portrait import portrait
from worker.engine.types import Box, Detection, Pixels


@dataclass
class Wrong:
    """dlib's detector with something done to what it finds."""

    spoiled: Callable[[list[Detection]], list[Detection]]
    name: str = "hog"
    window: int = 80

    def detect(self, pixels: Pixels, upsample: int) -> list[Detection]:
        return self.spoiled(DlibHog().detect(pixels, upsample))


def test_the_kernel_finds_what_dlib_finds() -> None:
    kernel = load_hog()
    assert isinstance(kernel, Hog)
    found = kernel.detect(portrait(300), 0)
    assert [d.detector for d in found] == ["hog"]
    assert [d.box for d in found] == [d.box for d in DlibHog().detect(portrait(300), 0)]


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda found: found[:0],
        lambda found: found * 2,
        lambda found: [replace(found[0], box=Box(*(side + 1 for side in (1, 2, 3, 4))))],
        lambda found: [replace(found[0], score=found[0].score + 0.01)],
    ],
    ids=["nothing", "twice", "elsewhere", "surer"],
)
def test_a_kernel_that_finds_something_else_does_not_start(
    spoiled: Callable[[list[Detection]], list[Detection]],
) -> None:
    with pytest.raises(MismatchError, match="HOG detector's self-test"):
        self_test(Wrong(spoiled), DlibHog())


def test_dlib_itself_passes() -> None:
    self_test(DlibHog(), DlibHog())


def test_where_the_kernel_cannot_run_dlib_does(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> None:
        raise RuntimeError("no such processor")

    monkeypatch.setattr(detectors, "HogDetector", broken)
    assert isinstance(load_hog(), DlibHog)
    assert "no such processor" in caplog.text


def test_nothing_is_found_in_an_empty_picture() -> None:
    assert load_hog().detect(np.zeros((200, 200, 3), np.uint8), 1) == []
