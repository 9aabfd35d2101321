from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from faces.errors import ImageStoreError, PictureError, SettingError
from faces.image_store.pictures import ImageStore, open_image_store
from faces.picture_id import picture_id_of

PICTURE = b"a picture"
HASH = picture_id_of(PICTURE)


@pytest.fixture
def store(tmp_path: Path) -> ImageStore:
    return ImageStore(f"file://{tmp_path}/images")


def test_what_is_put_is_got_and_gone_once_deleted(store: ImageStore) -> None:
    store.put(HASH, PICTURE)
    store.put(HASH, PICTURE)
    assert (store.get(HASH), store.has(HASH)) == (PICTURE, True)
    assert store.delete(HASH) == (True, False)
    assert store.delete(HASH) == (False, False)
    assert not store.has(HASH)


def test_the_names_of_a_picture_and_of_its_folder_are_durable_too(
    store: ImageStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []

    def fsync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())

    monkeypatch.setattr(os, "fsync", fsync)
    store.put(HASH, PICTURE)
    root = tmp_path / "images"
    assert synced[1:] == [root / HASH[:2], root]
    assert synced[0].parent == root / HASH[:2]


def test_crops_are_stored_without_the_picture_and_deleted_with_it(store: ImageStore) -> None:
    store.put_crops(HASH, [b"first", b"second"])
    assert [store.crop(HASH, index) for index in range(3)] == [b"first", b"second", None]
    assert (store.has(HASH), store.has_crops(HASH)) == (False, True)
    assert list(store.pictures()) == [[HASH]]
    age = store.age(HASH, time.time())
    assert age is not None
    assert age < 60
    store.put(HASH, PICTURE)
    assert list(store.pictures()) == [[HASH]]
    assert store.delete(HASH) == (True, True)
    assert (store.crop(HASH, 0), store.has_crops(HASH), store.age(HASH, 0.0)) == (None, False, None)


def test_crops_that_are_damaged_are_as_good_as_none(store: ImageStore, tmp_path: Path) -> None:
    store.put_crops(HASH, [b"first"])
    (tmp_path / "images" / HASH[:2] / f"{HASH}.faces.zip").write_bytes(b"no zip")
    assert store.crop(HASH, 0) is None


def test_a_picture_that_is_not_there_is_missing(store: ImageStore) -> None:
    store.put(HASH, PICTURE)
    with pytest.raises(PictureError) as raised:
        store.get("0" * 64)
    assert raised.value.code == "missing"


def test_a_store_that_is_not_there_may_come_back(store: ImageStore) -> None:
    with pytest.raises(ImageStoreError, match="does not exist"):
        store.get(HASH)


def test_bytes_that_have_changed_are_damaged(store: ImageStore, tmp_path: Path) -> None:
    store.put(HASH, PICTURE)
    (tmp_path / "images" / HASH[:2] / HASH).write_bytes(b"another")
    with pytest.raises(PictureError) as raised:
        store.get(HASH)
    assert raised.value.code == "damaged"


def test_nothing_half_written_is_left(store: ImageStore, tmp_path: Path) -> None:
    (tmp_path / "images" / HASH[:2] / HASH).mkdir(parents=True)  # in the way
    with pytest.raises(ImageStoreError):
        store.put(HASH, PICTURE)
    assert [path for path in (tmp_path / "images").rglob("*") if path.is_file()] == []


def test_an_address_that_cannot_be_used_is_named() -> None:
    with pytest.raises(SettingError, match="IMAGE_STORE_URL is 'nonsense://x'"):
        open_image_store("nonsense://x")
    assert open_image_store("") is None


def test_deleting_removes_what_a_killed_process_left(store: ImageStore, tmp_path: Path) -> None:
    store.put(HASH, PICTURE)
    (tmp_path / "images" / HASH[:2] / f".{HASH}.0123").write_bytes(PICTURE[:4])
    store.delete(HASH)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
