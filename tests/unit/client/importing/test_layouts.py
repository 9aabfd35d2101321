"""Whom a picture shows, by where it is and what it is called."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.importing.layouts import by_file_name, by_folder


def written(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return folder


def test_a_folder_a_person(tmp_path: Path) -> None:
    written(tmp_path, "Ann Lee/1.jpg", "Ann Lee/2019/b.png", "Ann_Lee/c.jpg", "Bob/a.txt", "nobody.jpg")
    found = {one.source.name: one.person for one in by_folder(tmp_path, {".jpg", ".png"})}
    assert found == {
        "Ann Lee/1.jpg": "Ann Lee",
        "Ann Lee/2019/b.png": "Ann Lee",
        "Ann_Lee/c.jpg": "Ann Lee",
        "nobody.jpg": "",
    }


@pytest.mark.parametrize(
    ("name", "person"),
    [
        ("obama.jpg", "obama"),
        ("obama2.jpg", "obama"),
        ("Ann_Lee_0001.jpg", "Ann Lee"),
        ("Ann Lee (2).jpg", "Ann Lee"),
        ("deep/Ann-3.jpg", "Ann"),
        ("J. R. Smith.jpg", "J. R. Smith"),
        ("0001.jpg", ""),
    ],
)
def test_a_file_a_picture_of_its_name(tmp_path: Path, name: str, person: str) -> None:
    written(tmp_path, name)
    assert [(one.source.name, one.person) for one in by_file_name(tmp_path, {".jpg"})] == [(name, person)]
