"""Going over to another model at the terminal, while others write."""

from __future__ import annotations

import io
import multiprocessing
import time
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from client import reencoding
from client.__main__ import main
from faces.config import Settings
from faces.errors import MismatchError
from faces.image_store.pictures import ImageStore
from faces.picture_id import picture_id_of
from faces.store.client import RedisClient
from faces.store.pictures.accept import accept
from faces.store.pictures.commit import DetectionResult
from faces.store.pictures.erase import erase
from tests.support.processes.quick_reencode import MODEL, other_encoding_of
from tests.support.processes.quick_worker import encoding_of
from tests.support.rules import faults, read_all
from tests.support.writing import Writer

pytestmark = pytest.mark.usefixtures("terminal")

BOX = {"left": 0, "top": 0, "right": 5, "bottom": 5}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reencoding, "MODULE", "tests.support.processes.quick_reencode")


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ImageStore:
    url = f"file://{tmp_path}/originals"
    monkeypatch.setenv("IMAGE_STORE_URL", url)
    return ImageStore(url)


def drawn(number: int) -> bytes:
    """A picture of its own; every seventh has the same height, and so the same face."""
    file = io.BytesIO()
    Image.new("RGB", (20, 10 + number % 7), (number % 256, number // 256, 3)).save(file, "PNG")
    return file.getvalue()


def add(writer: Writer, store: ImageStore | None, number: int) -> str:
    data = drawn(number)
    picture_id = picture_id_of(data)
    if store is not None:
        store.put(picture_id, data)
    accept(writer.redis, picture_id, str(number))
    face = encoding_of(10 + number % 7).astype("<f4").tobytes()
    faces: list[dict[str, Any]] = [{"box": BOX}, {"box": BOX, "indexed": False}]
    writer.commit([DetectionResult(picture_id, faces, (face,))])
    return picture_id


def check_new(redis: RedisClient, count: int) -> None:
    state = read_all(redis)
    assert faults(state) == []
    assert len(state.encodings) == count
    for name, picture_id in state.names.items():
        expected = other_encoding_of(10 + int(name) % 7).astype("<f4").tobytes()
        assert state.encodings[picture_id] == (expected,)
    assert redis.ask((0, "HMGET", "meta", "model", "next"), (5, "DBSIZE"), (6, "DBSIZE")) == [
        [MODEL.encode(), None],
        0,
        0,
    ]


@pytest.mark.parametrize("processes", ["1", "2"])
def test_all_faces_are_encoded_again_and_swapped(
    redis: RedisClient, store: ImageStore, processes: str, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = Writer(redis)
    ids = [add(writer, store, number) for number in range(30)]
    erase(redis, ids[3])
    assert main(["rebuild", "--model", "theirs.dat", "--processes", processes, "--tolerance", "0.4"]) == 0
    check_new(redis, 29)
    assert "restart the workers with MODEL=theirs.dat and MATCH_TOLERANCE=0.4" in capsys.readouterr().err
    assert main(["check"]) == 0


def commit_until_swapped(settings: Settings, url: str) -> None:
    """A worker that keeps committing by the old model, a hundred pictures a second, until it may not any more."""
    with closing(RedisClient(settings)) as redis, suppress(MismatchError):
        writer = Writer(redis)
        for number in range(100, 20_000):
            add(writer, ImageStore(url), number)
            time.sleep(0.01)


def test_a_busy_fleet_loses_nothing(
    redis: RedisClient, store: ImageStore, store_settings: Settings, tmp_path: Path
) -> None:
    writer = Writer(redis)
    for number in range(20):
        add(writer, store, number)
    url = f"file://{tmp_path}/originals"
    fork = multiprocessing.get_context("fork")
    worker = fork.Process(target=commit_until_swapped, args=(store_settings, url))
    worker.start()
    try:
        assert main(["rebuild", "--model", "theirs.dat"]) == 0
        worker.join(60)
        assert worker.exitcode == 0
    finally:
        worker.kill()
    state = read_all(redis)
    assert len(state.encodings) > 20
    check_new(redis, len(state.encodings))
    assert state.in_flight <= 1  # the one that came too late waits for a worker with the new model


def test_without_an_image_store_it_says_what_is_missing(
    redis: RedisClient, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = Writer(redis)
    add(writer, None, 1)
    assert main(["rebuild", "--model", "theirs.dat"]) == 2
    assert "IMAGE_STORE_URL is not set" in capsys.readouterr().err


def test_missing_originals_are_named_and_nothing_changes(
    redis: RedisClient, store: ImageStore, capsys: pytest.CaptureFixture[str]
) -> None:
    writer = Writer(redis)
    add(writer, store, 1)
    missing = add(writer, None, 2)
    before = read_all(redis)
    assert main(["rebuild", "--model", "theirs.dat"]) == 2
    error = capsys.readouterr().err
    assert "1 pictures cannot be encoded again" in error
    assert missing in error
    assert read_all(redis) == before
    erase(redis, missing)
    assert main(["rebuild", "--model", "theirs.dat"]) == 0
    check_new(redis, 1)


def test_it_is_given_up(redis: RedisClient, store: ImageStore) -> None:
    writer = Writer(redis)
    add(writer, store, 1)
    add(writer, None, 2)
    before = read_all(redis)
    assert main(["rebuild", "--model", "theirs.dat"]) == 2
    assert main(["rebuild", "--abandon"]) == 0
    assert redis.ask((6, "DBSIZE"), (0, "HEXISTS", "meta", "next")) == [0, 0]
    assert read_all(redis) == before


def test_a_process_that_cannot_start_is_told(
    redis: RedisClient, store: ImageStore, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(reencoding, "MODULE", "worker.reencode")
    add(Writer(redis), store, 1)
    assert main(["rebuild", "--model", "/nowhere/theirs.dat"]) == 2
    error = capfd.readouterr().err
    assert "MODEL is /nowhere/theirs.dat, which cannot be read" in error
    assert "a worker.reencode process failed" in error
