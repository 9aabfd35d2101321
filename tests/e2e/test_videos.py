"""A film through the whole fleet: killed in the middle, who is seen when, and erased."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import requests

from benchmarks.material.films import panned, portraits, write
from faces.store import videos
from faces.store.keys import HOME, video_frames_key
from local.process import until
from tests.e2e.conftest import SECONDS, Fleet
from tests.support.processes.waiting_video import FRAMES
from tests.support.rules import faults, read_all
from video.extraction import Frame, Limits, extract

SHOT = 3.0  # seconds
NAMES = ("obama.jpg", "biden.jpg", "obama2.jpg")


@pytest.fixture(scope="module")
def film(photographs: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    shots = portraits(photographs, NAMES, SHOT)
    return write(tmp_path_factory.mktemp("film") / "film.mp4", panned(shots, (480, 360), rate=15))


def ask(fleet: Fleet, path: str) -> dict[str, Any]:
    answer = requests.get(f"{fleet.url}{path}", timeout=60)
    assert answer.ok, answer.text
    document: dict[str, Any] = answer.json()
    return document


def spans(person: dict[str, Any]) -> list[tuple[float, float]]:
    return [(span["since"], span["until"]) for span in person["spans"]]


def test_a_film_tells_who_is_seen_when_and_can_be_erased(fleet: Fleet, film: Path, tmp_path: Path) -> None:
    store = {"IMAGE_STORE_URL": f"file://{tmp_path}/images"}
    fleet.start_all(workers=0, **store)
    with film.open("rb") as file:
        sent = requests.post(f"{fleet.url}/v1/videos?name=film.mp4", data=file, timeout=60)
    assert sent.status_code == 202, sent.text
    video_id = hashlib.sha256(film.read_bytes()).hexdigest()
    assert sent.json()["location"] == f"/v1/videos/{video_id}"

    first = fleet.start("tests.support.processes.waiting_video", **store)
    assert until(lambda: len(videos.frames(fleet.redis, video_id)) == FRAMES, SECONDS), first.last_lines()
    first.kill()
    pending = ask(fleet, f"/v1/videos/{video_id}")["frames"]["pending"]
    assert pending in {FRAMES - 1, FRAMES}, "the last one is recorded, and perhaps no picture yet"

    fleet.start("worker", **store)
    fleet.start("groups", **store)
    second = fleet.start("video", **store)
    assert until(lambda: ask(fleet, f"/v1/videos/{video_id}")["state"] == "done", SECONDS), (
        second.last_lines()
    )
    fleet.wait()
    assert until(lambda: ask(fleet, f"/v1/videos/{video_id}")["ungrouped"] == 0, SECONDS)

    with film.open("rb") as file:
        expected = [event for event in extract(file, Limits.of(fleet.settings)) if isinstance(event, Frame)]
    frames = videos.frames(fleet.redis, video_id)
    assert [frame.seconds for frame in frames] == [event.seconds for event in expected]
    assert [frame.picture_id for frame in frames] == [
        hashlib.sha256(event.data).hexdigest() for event in expected
    ]
    names = [f"film.mp4#t={event.seconds:g}" for event in expected]
    assert [fleet.status(frame.picture_id)["names"] for frame in frames] == [[name] for name in names]

    seen = ask(fleet, f"/v1/videos/{video_id}")
    assert seen["frames"] == {"taken": len(frames), "pending": 0, "done": len(frames), "failed": 0}
    obama, *others = seen["people"]  # some frames between may have found no group, and be somebody else
    assert spans(obama)[0] == pytest.approx((0, SHOT), abs=0.7)
    assert spans(obama)[-1][1] > 2 * SHOT
    (biden, *_) = [person for person in others if spans(person)[0][0] == pytest.approx(SHOT, abs=0.7)]
    assert all(SHOT - 0.7 < since < until < 2 * SHOT + 0.7 for since, until in spans(biden))
    assert 3 < biden["best"]["seconds"] < 6
    faces = ask(fleet, f"/v1/images/{biden['best']['hash']}")["faces"]
    assert faces[biden["best"]["face"]]["indexed"]

    erased = requests.delete(f"{fleet.url}/v1/videos/{video_id}", timeout=60)
    assert erased.status_code == 200, erased.text
    assert erased.json()["frames"] == len(frames)
    assert requests.get(f"{fleet.url}/v1/videos/{video_id}", timeout=60).status_code == 404
    assert all(fleet.status(frame.picture_id)["state"] == "unknown" for frame in frames)
    assert fleet.redis.ask((HOME, "EXISTS", video_frames_key(video_id))) == [0]
    assert [path for path in (tmp_path / "images").rglob("*") if path.is_file()] == []
    assert faults(read_all(fleet.redis)) == []
