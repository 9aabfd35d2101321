from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import pytest

from faces.errors import VideoError
from faces.image_store.pictures import ImageStore
from faces.image_store.videos import ABANDONED, VideoStore, open_video_store

FILM = b"\0\0\0\x20ftypisom" + bytes(range(256)) * 9000  # more than is read at once
HASH = hashlib.sha256(FILM).hexdigest()


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> VideoStore:
    """In a folder, and in a store that has no files."""
    return VideoStore(f"{request.param}://{tmp_path}/images")


def keep(store: VideoStore, data: bytes = FILM) -> None:
    with store.receiving(io.BytesIO(data), 1 << 30) as upload:
        assert (upload.video_id, upload.size) == (hashlib.sha256(data).hexdigest(), len(data))
        store.keep(upload)


def test_what_is_kept_can_be_read_and_is_gone_once_deleted(store: VideoStore) -> None:
    keep(store)
    keep(store)
    with store.opened(HASH) as file:
        file.seek(100)
        assert file.read(10) == FILM[100:110]
    assert store.delete(HASH)
    assert not store.delete(HASH)
    with pytest.raises(VideoError) as raised, store.opened(HASH):
        pass
    assert raised.value.code == "missing"


def test_what_is_not_kept_is_gone(tmp_path: Path) -> None:
    with VideoStore(f"file://{tmp_path}").receiving(io.BytesIO(FILM), 1 << 30):
        pass
    with (
        pytest.raises(VideoError, match="allowed"),
        VideoStore(f"file://{tmp_path}").receiving(io.BytesIO(FILM), 1000),
    ):
        pass
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_an_upload_whose_server_died_is_swept(tmp_path: Path) -> None:
    store = VideoStore(f"file://{tmp_path}")
    keep(store)
    arriving = tmp_path / "videos" / "arriving"
    (arriving / "old").write_bytes(FILM)
    (arriving / "new").write_bytes(FILM)
    past = (arriving / "old").stat().st_mtime - ABANDONED - 60
    os.utime(arriving / "old", (past, past))
    keep(store)
    assert [path.name for path in arriving.iterdir()] == ["new"]


def test_videos_are_no_pictures(tmp_path: Path) -> None:
    keep(VideoStore(f"file://{tmp_path}"))
    images = ImageStore(f"file://{tmp_path}")
    assert [found for some in images.pictures() for found in some] == []


def test_without_a_url_there_is_none() -> None:
    assert open_video_store("") is None
