"""What becomes of a video, whatever happens on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import cast

import pytest

from benchmarks.material.films import write
from faces.config import Settings
from faces.errors import BrokerError
from faces.messaging.amqp import Publisher
from faces.messaging.event_log import EventLog
from faces.store import videos
from faces.store.access.audit_log import AuditLog
from faces.store.client import RedisClient
from faces.store.pictures import queries
from faces.store.videos import Video
from faces.usecases.videos import VideoIngest
from tests.support.films import plain, sound, still
from tests.support.processing import FakeEventLog
from video import job
from video.__main__ import build
from video.extraction import Fault
from video.job import Jobs
from video.metrics import Metrics

COLOURS = ("black", "lime", "navy", "white", "red")


@dataclass
class Bench:
    """Jobs on real services, without the process around them."""

    jobs: Jobs
    redis: RedisClient

    def accept(self, path: Path) -> str:
        ingest = VideoIngest(
            self.redis, lambda _: None, self.jobs.video_store, 1 << 30, AuditLog(self.redis, 100)
        )
        return ingest.accept(BytesIO(path.read_bytes()), path.name, request_id="").video_id

    def run(self, video_id: str, tick: Callable[[], None] = lambda: None) -> bool:
        return self.jobs.run(video_id, tick)

    def known(self, video_id: str) -> Video:
        found = videos.find(self.redis, video_id)
        assert found is not None
        return found

    def seconds(self, video_id: str) -> list[float]:
        return [frame.seconds for frame in videos.frames(self.redis, video_id)]


@pytest.fixture
def bench(settings: Settings, redis: RedisClient, tmp_path: Path) -> Iterator[Bench]:
    stored = replace(settings, image_store_url=f"file://{tmp_path}/store")
    with closing(Publisher(stored)) as publisher:
        yield Bench(
            build(
                stored,
                redis=redis,
                publisher=publisher,
                event_log=cast(EventLog, FakeEventLog()),
                metrics=Metrics(),
                stopping=threading.Event(),
            ),
            redis,
        )


@pytest.fixture
def film(tmp_path: Path) -> Path:
    return write(tmp_path / "film.mkv", still([(plain(colour), 1.0) for colour in COLOURS]))


def test_its_frames_become_pictures(bench: Bench, film: Path) -> None:
    video_id = bench.accept(film)
    assert bench.run(video_id)
    video = bench.known(video_id)
    assert (video.state, video.code, video.width, video.height) == ("done", None, 160, 120)
    assert video.reached == video.seconds == pytest.approx(5, abs=0.1)
    assert bench.seconds(video_id) == [0.0, 1.0, 2.0, 3.0, 4.0]
    ids = [frame.picture_id for frame in videos.frames(bench.redis, video_id)]
    assert [status and status.state for status in queries.statuses(bench.redis, ids)] == ["pending"] * 5
    named = queries.status_with_names(bench.redis, ids[2])
    assert named is not None
    assert named.names == ["film.mkv#t=2"]
    assert bench.run(video_id), "a message that comes again has nothing left to do"


def test_a_lost_connection_costs_nothing(bench: Bench, film: Path) -> None:
    video_id = bench.accept(film)

    def lose() -> None:
        if len(bench.seconds(video_id)) == 2:
            raise BrokerError("gone")

    with pytest.raises(BrokerError):
        bench.run(video_id, lose)
    assert bench.known(video_id).starts == 0
    assert bench.run(video_id)
    assert bench.seconds(video_id) == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert queries.counts(bench.redis).accepted == 5


def test_a_long_video_lets_others_have_their_turn(bench: Bench, film: Path) -> None:
    bench.jobs.slice = 0.0
    video_id = bench.accept(film)
    assert not bench.run(video_id)
    assert bench.known(video_id).state == "pending"
    bench.jobs.slice = 600.0
    assert bench.run(video_id)
    assert bench.known(video_id).state == "done"


def test_what_kills_its_process_is_given_up(bench: Bench, film: Path) -> None:
    """A process that is killed cannot take its start back."""
    video_id = bench.accept(film)
    for _ in range(job.MAX_STARTS):
        videos.change(bench.redis, video_id, job._started)
    assert bench.run(video_id)
    assert (bench.known(video_id).state, bench.known(video_id).code) == ("failed", "poison")


def test_what_kills_the_decoder_is_tried_a_few_times(
    bench: Bench, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = []

    def die(*_: object, **__: object) -> Iterator[None]:
        tried.append(1)
        raise Fault("crash", "the decoder ended with SIGSEGV")
        yield

    monkeypatch.setattr(job, "extract", die)
    video_id = bench.accept(film)
    assert bench.run(video_id)
    video = bench.known(video_id)
    assert (video.state, video.code, len(tried)) == ("failed", "crash", job.MAX_STARTS)
    assert video.reason is not None
    assert "SIGSEGV" in video.reason


def test_sound_fails_with_a_word(bench: Bench, tmp_path: Path) -> None:
    video_id = bench.accept(sound(tmp_path / "song.mp4"))
    assert bench.run(video_id)
    video = bench.known(video_id)
    assert (video.state, video.code, video.starts) == ("failed", "no_video", 0)
    assert video.finished is not None


def test_a_file_that_is_cut_short_is_done_with_a_word(bench: Bench, film: Path) -> None:
    data = film.read_bytes()
    film.write_bytes(data[: len(data) // 2])
    video_id = bench.accept(film)
    assert bench.run(video_id)
    video = bench.known(video_id)
    assert (video.state, video.code) == ("done", "truncated")
    assert video.reached < 4


def test_a_video_whose_file_is_gone_says_so(bench: Bench, film: Path) -> None:
    video_id = bench.accept(film)
    bench.jobs.video_store.delete(video_id)
    assert bench.run(video_id)
    assert bench.known(video_id).code == "missing"


def test_erasing_in_the_middle_leaves_nothing(bench: Bench, film: Path, tmp_path: Path) -> None:
    video_id = bench.accept(film)
    erased: list[object] = []

    def erase() -> None:
        if len(bench.seconds(video_id)) == 2 and not erased:
            erased.append(bench.jobs.eraser.erase(video_id, actor=""))
            assert bench.known(video_id).state == "erasing", "the extraction has not ended"

    assert bench.run(video_id, erase)
    assert videos.find(bench.redis, video_id) is None
    assert bench.seconds(video_id) == []
    counts = queries.counts(bench.redis)
    assert counts.accepted == counts.erased > 0
    assert [path for path in (tmp_path / "store").rglob("*") if path.is_file()] == []


def test_frames_wait_while_many_are_in_flight(
    bench: Bench, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job, "IN_FLIGHT", 2)
    bench.jobs.slice = 3.0
    video_id = bench.accept(film)
    assert not bench.run(video_id), "there are no workers"
    assert bench.seconds(video_id) == [0.0, 1.0]
