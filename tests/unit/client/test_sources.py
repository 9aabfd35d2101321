from __future__ import annotations

from pathlib import Path

import pytest

from client.errors import UsageError
from client.sources import Source, find
from faces.formats.signatures import DEFAULT_FORMATS, suffixes_of

SUFFIXES = suffixes_of(DEFAULT_FORMATS)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.JPG", "a/deep/c.webp", "a/notes.txt", ".hidden/x.png", "a/.y.png", "a/d.png"):
        path = tmp_path / "album" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path / "album"


def test_a_folder_gives_its_pictures_by_their_paths_in_it(folder: Path) -> None:
    assert [s.name for s in find([str(folder)], SUFFIXES)] == ["b.JPG", "a/d.png", "a/deep/c.webp"]


def test_a_file_is_sent_under_its_own_name_whatever_its_suffix(folder: Path) -> None:
    assert find([str(folder / "a/notes.txt")], SUFFIXES) == [Source("notes.txt", folder / "a/notes.txt")]


def test_an_address_is_its_own_name() -> None:
    assert find(["https://example.org/a.jpg", "https://example.org/a.jpg"], SUFFIXES) == [
        Source("https://example.org/a.jpg", None)
    ]


def test_a_file_named_twice_is_sent_once(folder: Path) -> None:
    assert len(find([str(folder / "b.JPG"), str(folder / "a" / ".." / "b.JPG")], SUFFIXES)) == 1


def test_two_files_may_not_get_one_name(folder: Path) -> None:
    (folder / "a" / "b.JPG").write_bytes(b"other")
    with pytest.raises(UsageError, match=r"both be named b\.JPG"):
        find([str(folder / "b.JPG"), str(folder / "a" / "b.JPG")], SUFFIXES)


def test_what_is_not_there_is_said() -> None:
    with pytest.raises(UsageError, match=r"no such file or folder: nowhere\.jpg"):
        find(["nowhere.jpg"], SUFFIXES)


def test_a_folder_gives_what_the_settings_allow(folder: Path) -> None:
    (folder / "e.heic").write_bytes(b"e")
    (folder / "f.TIFF").write_bytes(b"f")
    allowed = suffixes_of(("HEIC", "TIFF"))
    assert [s.name for s in find([str(folder)], allowed)] == ["e.heic", "f.TIFF"]
    assert "e.heic" not in [s.name for s in find([str(folder)], SUFFIXES)]
