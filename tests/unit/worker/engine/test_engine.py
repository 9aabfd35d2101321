"""The engine's own work: which pixels chips are cut from, whose encoding is whose, what a face tells."""

from __future__ import annotations

import io
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from faces.config import Settings
from faces.errors import SettingError
from worker.engine import engine as module
from worker.engine.alignment.chips import Chip
from worker.engine.engine import SHARP_CHIP, FaceEngine, Sight, load
from worker.engine.quality import Bar
from worker.engine.types import Box, Detection, Pixels, Traits

LANDMARKS = np.array([(50, 10), (40, 10), (10, 10), (20, 10), (30, 30)], np.float64)
EVERYTHING = Bar(0)


@dataclass
class Picture:
    """A picture of one grey, decoded at half its size unless it is said otherwise."""

    grey: int
    scale: float = 2.0
    opened: int = 0

    @property
    def pixels(self) -> Pixels:
        return np.full((300, 400, 3), self.grey, np.uint8)

    def whole(self) -> Pixels:
        self.opened += 1
        return np.full((600, 800, 3), self.grey + 1, np.uint8)


@dataclass
class Search:
    """Finds as many faces as it is told to for a grey, each of a size."""

    size: int
    faces: dict[int, int] = field(default_factory=dict)

    def find(self, pixels: Pixels, _scale: float) -> list[Detection]:
        box = Box(100, 50, 100 + self.size - 1, 50 + self.size - 1)
        return [Detection(box, 1.0 - k / 10, "hog") for k in range(self.faces.get(int(pixels[0, 0, 0]), 1))]


class Chipper:
    """Cuts chips of the picture's grey."""

    def __init__(self) -> None:
        self.boxes: list[Box] = []

    def cut(self, pixels: Pixels, box: Box) -> Chip:
        self.boxes.append(box)
        return Chip(np.full((150, 150, 3), pixels[0, 0, 0], np.uint8), LANDMARKS)


class Encoder:
    """Encodes a chip as its grey and its place in the call."""

    model = "tried"

    def __init__(self) -> None:
        self.calls = 0

    def encode(self, chips: NDArray[np.uint8]) -> NDArray[np.float32]:
        self.calls += 1
        encodings = np.zeros((len(chips), 128), np.float32)
        encodings[:, 0], encodings[:, 1] = chips[:, 0, 0, 0], np.arange(len(chips))
        return encodings


def engine(search: Search, **parts: Any) -> FaceEngine:
    made: dict[str, Any] = {"search": search, "chipper": Chipper(), "encoder": Encoder(), "bar": EVERYTHING}
    return FaceEngine(**(made | parts))


def test_every_picture_gets_the_encodings_of_its_own_faces_in_one_call() -> None:
    encoder = Encoder()
    tried = engine(Search(200, {10: 2, 20: 0, 30: 1}), encoder=encoder)
    found = tried.find([Picture(10), Picture(20), Picture(30)])
    assert [[face.encoding[0] for face in faces] for faces in found] == [[10, 10], [], [30]]
    assert [[face.encoding[1] for face in faces] for faces in found] == [[0, 1], [], [2]]
    assert encoder.calls == 1
    assert tried.model == "tried"


def test_without_faces_nothing_is_encoded() -> None:
    encoder = Encoder()
    assert engine(Search(200, {10: 0}), encoder=encoder).find([Picture(10)]) == [[]]
    assert engine(Search(200), encoder=encoder).find([]) == []
    assert encoder.calls == 0


@pytest.mark.parametrize(("size", "opened"), [(SHARP_CHIP - 1, 1), (SHARP_CHIP, 0)])
def test_a_small_face_in_a_reduced_picture_is_cut_from_the_whole(size: int, opened: int) -> None:
    picture, chipper = Picture(10), Chipper()
    [[face]] = engine(Search(size), chipper=chipper).find([picture])
    assert picture.opened == opened
    assert face.encoding[0] == 10 + opened
    assert chipper.boxes[0].left == (200 if opened else 100)


@pytest.mark.parametrize("size", [50, 200])
def test_box_size_and_landmarks_are_those_of_the_whole_picture(size: int) -> None:
    tried = engine(Search(size), landmarks=lambda _: LANDMARKS)
    [[face]] = tried.find([Picture(10)])
    assert (face.box.left, face.box.top) == (200, 100)
    assert face.quality.size == pytest.approx(2 * size, abs=1)
    assert face.landmarks is not None
    assert face.landmarks[4] == ((30, 30) if size == 50 else (60, 60))


def test_a_small_face_in_a_picture_that_is_whole_is_cut_from_it() -> None:
    picture = Picture(10, scale=1.0)
    [[face]] = engine(Search(30)).find([picture])
    assert picture.opened == 0
    assert face.box.left == 100


def test_a_face_below_the_bar_is_reported_with_the_reason() -> None:
    [[face]] = engine(Search(200), bar=Bar(401)).find([Picture(10)])
    assert face.reason == "too small: 400 pixels, at least 401 required"
    [[face]] = engine(Search(200)).find([Picture(10)])
    assert face.reason is None


def test_only_what_is_asked_for_is_told() -> None:
    @dataclass
    class AgeGender:
        seen: list[Box] = field(default_factory=list)

        def estimate(self, _pixels: Pixels, box: Box) -> Traits:
            self.seen.append(box)
            return Traits(40, "female")

    told = AgeGender()
    [[face]] = engine(Search(200), age_gender=told).find([Picture(10)])
    assert face.traits == Traits(40, "female")
    assert told.seen == [Box(100, 50, 299, 249)]
    [[face]] = engine(Search(200)).find([Picture(10)])
    assert face.traits is None
    assert face.landmarks is None


def test_a_crop_is_small_and_shows_the_face_with_a_margin() -> None:
    [[face]] = engine(Search(200), crops=True).find([Picture(10)])
    assert face.crop is not None
    with Image.open(io.BytesIO(face.crop)) as crop:
        # 30% around 200x200 at (100, 50) in 400x300: 320x300
        assert (crop.format, crop.size) == ("JPEG", (160, 150))
    [[small]] = engine(Search(30), crops=True).find([Picture(10, scale=1.0)])
    assert small.crop is not None
    with Image.open(io.BytesIO(small.crop)) as crop:
        assert crop.size == (47, 47), "nothing is enlarged"
    [[without]] = engine(Search(200)).find([Picture(10)])
    assert without.crop is None


def test_stages_are_watched() -> None:
    watched: list[str] = []

    def stage(name: str) -> AbstractContextManager[object]:
        watched.append(name)
        return nullcontext()

    engine(Search(200)).find([Picture(10)], stage)
    assert watched == ["detect", "encode"]


class Loaded:
    """Stands for what the engine's makers make, and remembers that they were asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked: list[str] = []
        for name, made in {
            "load_encoder": (Encoder(), "here"),
            "load_detector": (object(), "here"),
            "load_hog": Finder("hog", 80),
            "Cnn": Finder("cnn", 80),
            "OperatorsDetector": Finder("custom", 20),
            "load_age_gender": "age and gender",
            "Landmarks68": object(),
        }.items():
            monkeypatch.setattr(module, name, self._maker(name, made))

    def _maker(self, name: str, made: object) -> Any:
        def make(*_: object, **__: object) -> object:
            self.asked.append(name)
            return made

        return make


@dataclass(frozen=True)
class Finder:
    name: str
    window: int


@pytest.mark.parametrize(
    ("detector", "finders"), [("auto", ["hog", "cnn"]), ("hog", ["hog"]), ("cnn", ["cnn"])]
)
def test_only_the_detectors_of_the_policy_are_loaded(
    monkeypatch: pytest.MonkeyPatch, detector: str, finders: Sequence[str]
) -> None:
    loaded = Loaded(monkeypatch)
    made = load(replace(Settings(), detector=detector))
    looks = made.search._looks
    assert [look.finder.name for look in looks] == finders
    assert ("load_hog" in loaded.asked) == ("hog" in finders)
    assert ("load_detector" in loaded.asked) == ("cnn" in finders)


def test_the_operators_detector_takes_the_place_of_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = Loaded(monkeypatch)
    made = load(replace(Settings(), detector_model="mine.onnx"))
    assert [look.finder.name for look in made.search._looks] == ["custom"]
    assert not {"load_hog", "load_detector"} & set(loaded.asked)


def test_what_may_not_be_used_commercially_is_loaded_only_when_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for landmarks, asked in {"none": False, "5": False, "68": True}.items():
        loaded = Loaded(monkeypatch)
        made = load(replace(Settings(), landmarks=landmarks))
        assert ("Landmarks68" in loaded.asked) == asked
        assert (made.landmarks is None) == (landmarks == "none")


def test_the_five_landmarks_are_those_that_the_chip_was_cut_by(monkeypatch: pytest.MonkeyPatch) -> None:
    Loaded(monkeypatch)
    made = load(replace(Settings(), landmarks="5"))
    assert made.landmarks is not None
    chip = Chip(np.zeros((150, 150, 3), np.uint8), LANDMARKS)
    sight = Sight(cast("Any", None), 1.0, Detection(Box(0, 0, 9, 9), 1.0, "hog"), chip)
    assert made.landmarks(sight) is LANDMARKS


def test_age_and_gender_are_told_where_a_model_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = Loaded(monkeypatch)
    assert load(Settings()).age_gender is None
    assert "load_age_gender" not in loaded.asked
    assert (
        cast("Any", load(replace(Settings(), age_gender_model=("mine.onnx",))).age_gender) == "age and gender"
    )


def test_a_model_that_cannot_be_loaded_keeps_the_worker_from_starting(tmp_path: Path) -> None:
    text = tmp_path / "text.onnx"
    text.write_text("a text")
    with pytest.raises(SettingError, match="DETECTOR_MODEL"):
        load(replace(Settings(), model_cache=str(tmp_path), detector_model=str(text), engine="onnxruntime"))
