"""Sample photographs, taken from two packages on PyPI at first use; none is in this repository.

Both licences allow redistribution: face_recognition (MIT) has portraits among its tests; scikit-image (BSD) has
NASA's portrait of Eileen Collins, in the public domain, and pictures without a face.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """A package: its file on PyPI by hash, and the pictures in it by theirs (SHA-256)."""

    requirement: str
    sha256: str
    options: tuple[str, ...]
    folder: str
    pictures: Mapping[str, str]


SOURCES = (
    Source(
        requirement="face_recognition==1.3.0",
        sha256="5e5efdd1686aa566af0d3cc1313b131e4b197657a8ffd03669e6d3fad92705ec",
        options=("--no-binary=:all:",),  # the wheel has no pictures
        folder="face_recognition-1.3.0/tests/test_images",
        pictures={
            "biden.jpg": "3c17508bb91554c637a2eabddfae790e5bb1caba93130814fc2ac50be9760c4c",
            "obama.jpg": "0930e3aa8cae5920329c0c8cbc6a2ab70f47b0e67b432875beaa95cbf7e741f6",
            "obama2.jpg": "a7efcc907375274796f39646510704aa86672d59f6d5469d69af3c85590976a6",
            "obama3.jpg": "76ac6bf97c36dc2da0ad16a537d6a5ac1b10f48d49aac29a0cca9a17cdbc3ca3",
            "obama_partial_face.jpg": "c2d1f09e7ef3042352b41e41286e6eb0522f64f88308be13886991b95db52117",
            "obama_partial_face2.jpg": "9a812347f97633542b8cd9992de22def11b74f79d82056bc3ee830f13878e028",
        },
    ),
    Source(
        requirement="scikit-image==0.26.0",
        sha256="74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
        options=(  # this one file on any machine: it is unpacked, not run
            "--only-binary=:all:",
            "--platform=manylinux_2_28_x86_64",
            "--implementation=cp",
            "--python-version=3.11",
            "--abi=cp311",
        ),
        folder="skimage/data",
        pictures={
            "astronaut.png": "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
            "chelsea.png": "596aa1e7cb875eb79f437e310381d26b338a81c2da23439704a73c4651e8c4bb",
            "coffee.png": "cc02f8ca188b167c775a7101b5d767d1e71792cf762c33d6fa15a4599b5a8de7",
            "rocket.jpg": "c2dd0de7c538df8d111e479619b129464d0269d0ae5fd18ca91d33a7fdfea95c",
        },
    ),
)


def fetch_photographs(folder: Path) -> Path:
    """Put the sample photographs into a folder. Those already there are kept and need no network.

    Raises:
        RuntimeError: pip cannot download a package, or its contents are not the expected ones.
    """
    folder.mkdir(parents=True, exist_ok=True)
    absent = [source for source in SOURCES if not _complete(source, folder)]
    with ThreadPoolExecutor() as together:
        list(together.map(lambda source: _fetch(source, folder), absent))
    return folder


def present(folder: Path) -> bool:
    """Tell whether all photographs are in a folder."""
    return all(_complete(source, folder) for source in SOURCES)


def _complete(source: Source, folder: Path) -> bool:
    return all(_sha256(folder / name) == expected for name, expected in source.pictures.items())


def _fetch(source: Source, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        archive = _download(source, Path(scratch))
        for name, expected in source.pictures.items():
            part = Path(scratch) / name
            part.write_bytes(_member(archive, f"{source.folder}/{name}"))
            if _sha256(part) != expected:
                raise RuntimeError(f"{name} in {archive.name} is not the expected picture")
            part.replace(folder / name)


def _download(source: Source, scratch: Path) -> Path:
    """Download a package's file with pip, which checks the hash."""
    requirements, downloads = scratch / "requirements", scratch / "downloads"
    requirements.write_text(f"{source.requirement} --hash=sha256:{source.sha256}\n")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    where = ["--requirement", str(requirements), "--dest", str(downloads)]
    done = subprocess.run([*command, *source.options, *where], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"pip cannot download {source.requirement}:\n{done.stderr.strip()[-2000:]}")
    (archive,) = downloads.iterdir()
    return archive


def _member(archive: Path, path: str) -> bytes:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            return wheel.read(path)
    with tarfile.open(archive) as sdist:
        member = sdist.extractfile(path)
        return member.read() if member else b""


def _sha256(file: Path) -> str | None:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None
