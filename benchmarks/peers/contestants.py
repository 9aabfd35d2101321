"""The plain library and the engine's choices behind one interface, one process each."""

from __future__ import annotations

import io
import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from faces.config import Settings
from faces.formats.limits import Limits
from worker.engine.engine import FaceEngine, load
from worker.engine.library import load_library
from worker.engine.quality import Bar
from worker.engine.types import Box, Face
from worker.isolation.view import open_for

STAGES = ("decode", "detect", "chips", "encode")


@dataclass(frozen=True, eq=False)
class Seen:
    """A face as a contestant sees it: the box, the encoding (128,), and where it was judged, its quality."""

    box: Box
    encoding: NDArray[np.float32]
    quality: dict[str, float] = field(default_factory=dict)


class Contestant(Protocol):
    """Finds and encodes the faces of pictures, and knows how long each stage has taken, in seconds."""

    @property
    def stages(self) -> dict[str, float]:
        """Seconds by stage."""
        ...

    def take(self, pictures: Sequence[bytes]) -> list[list[Seen]]:
        """Find and encode the faces of pictures that were read into memory."""
        ...


class Clock:
    """Adds up the time that the processor spends on stages."""

    def __init__(self) -> None:
        self.stages: dict[str, float] = defaultdict(float)

    def timed(self, stage: str, work: Callable[..., Any]) -> Callable[..., Any]:
        """The same function, its time counted."""

        def counted(*given: Any, **named: Any) -> Any:
            begun = time.process_time()
            try:
                return work(*given, **named)
            finally:
                self.stages[stage] += time.process_time() - begun

        return counted


class Library:
    """face_recognition as its documentation shows it; `detector` is hog, its default, or cnn."""

    def __init__(self, detector: str) -> None:
        face_recognition = load_library()  # with its models; only its own process needs them
        self._clock = Clock()
        self._open = self._clock.timed("decode", face_recognition.load_image_file)
        self._locate = self._clock.timed("detect", face_recognition.face_locations)
        # its chips are cut inside its encoder
        self._encode = self._clock.timed("encode", face_recognition.face_encodings)
        self._detector = detector

    @property
    def stages(self) -> dict[str, float]:
        """Seconds by stage."""
        return self._clock.stages

    def take(self, pictures: Sequence[bytes]) -> list[list[Seen]]:
        """Find and encode the faces of each picture."""
        return [self._one(picture) for picture in pictures]

    def _one(self, picture: bytes) -> list[Seen]:
        pixels = self._open(io.BytesIO(picture))
        boxes = self._locate(pixels, model=self._detector)
        encodings = self._encode(pixels, known_face_locations=boxes)
        return [
            Seen(Box(left, top, right, bottom), np.asarray(encoding, np.float32))
            for (top, right, bottom, left), encoding in zip(boxes, encodings, strict=True)
        ]


class Ours:
    """The engine as a worker runs it: with as many pictures as it takes at once."""

    def __init__(self, settings: Settings) -> None:
        self._clock = Clock()
        self._limits = Limits.of(settings)
        self._batch = settings.batch_size
        # everything is measured, so nothing may be kept out
        self._engine = replace(_clocked(load(settings), self._clock), bar=Bar(0))
        self._open = self._clock.timed("decode", open_for)

    @property
    def stages(self) -> dict[str, float]:
        """Seconds by stage."""
        return self._clock.stages

    def take(self, pictures: Sequence[bytes]) -> list[list[Seen]]:
        """Find and encode the faces of each picture."""
        seen = []
        for start in range(0, len(pictures), self._batch):
            opened = [
                self._open(self._engine, data, self._limits) for data in pictures[start : start + self._batch]
            ]
            seen += [[_seen(face) for face in faces] for faces in self._engine.find(opened)]
        return seen


def _clocked(engine: FaceEngine, clock: Clock) -> FaceEngine:
    search, chipper, encoder = engine.search, engine.chipper, engine.encoder
    parts: dict[str, Any] = {
        "search": SimpleNamespace(find=clock.timed("detect", search.find), useful=search.useful),
        "chipper": SimpleNamespace(cut=clock.timed("chips", chipper.cut)),
        "encoder": SimpleNamespace(encode=clock.timed("encode", encoder.encode), model=encoder.model),
    }
    return replace(engine, **parts)


def _seen(face: Face) -> Seen:
    quality = face.quality
    return Seen(
        face.box,
        face.encoding,
        {"size": quality.size, "sharpness": quality.sharpness, "pose": quality.pose, "score": quality.score},
    )


def contestant(name: str, settings: Settings) -> Contestant:
    """Load a contestant: face_recognition, face_recognition-cnn, or ENGINE or ENGINE/MODEL of ours.

    Raises:
        SettingError: the engine is not installed, or the model does not exist.
    """
    os.environ["OMP_NUM_THREADS"] = "1"
    if name.startswith("face_recognition"):
        return Library("cnn" if name.endswith("-cnn") else "hog")
    engine, _, model = name.partition("/")
    return Ours(replace(settings, engine=engine, model=model or settings.model))
