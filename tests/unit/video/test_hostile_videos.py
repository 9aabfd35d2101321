"""Damaged and malicious files: each ends with frames or with a word, and none hangs."""

from __future__ import annotations

import io
import random
from pathlib import Path

import pytest

from benchmarks.material.films import write
from faces.errors import VideoError
from tests.support.films import plain, still
from video.extraction import Ended, Event, Fault, Frame, Limits, extract

LIMITS = Limits(rate=2, max_seconds=60, max_pixels=1_000_000, silence=20.0)
WORDS = {"not_a_video", "no_video", "damaged", "too_long", "too_many_pixels", "too_large"}
KINDS = ("mp4", "mkv", "avi", "flv")
SHOTS = [(plain("black"), 1.0), (plain("lime"), 1.0), (plain("navy"), 1.0)]


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("films")
    return {kind: write(folder / f"f.{kind}", still(SHOTS)).read_bytes() for kind in KINDS}


def outcome(data: bytes) -> str | list[Event]:
    """What is found, or the word that is said."""
    try:
        return list(extract(io.BytesIO(data), LIMITS))
    except VideoError as error:
        return error.code if str(error) else "silence"
    except Fault as fault:  # another try would end the same; the job gives up after a few
        return fault.code


@pytest.mark.parametrize("kind", ["mkv", "flv"])
def test_of_a_file_cut_short_the_beginning_is_taken(kind: str, films: dict[str, bytes]) -> None:
    found = outcome(films[kind][: len(films[kind]) // 2])
    assert isinstance(found, list)
    assert any(isinstance(event, Frame) for event in found)
    ended = found[-1]
    assert isinstance(ended, Ended)
    assert ended.seconds < 2.9


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0",
        b"not a video" * 1000,
        b"\0\0\0\x20ftypisom" + bytes(1000),
        b"\x1a\x45\xdf\xa3" + b"\xff" * 1000,
        b"RIFF\xff\xff\xff\xffAVI LIST\xff\xff\xff\xffhdrl" + bytes(1000),
        b"FLV\x01\x05\0\0\0\x09" + b"\x09\xff\xff\xff" * 1000,
        b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + b"\xff" * 1000,
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
    ],
    ids=["empty", "short", "text", "mp4", "mkv", "avi", "flv", "wmv", "playlist", "list"],
)
def test_what_is_no_video_is_called_so(data: bytes) -> None:
    assert outcome(data) in {"not_a_video", "no_video"}


def test_a_file_without_its_index_is_no_video(films: dict[str, bytes]) -> None:
    assert outcome(films["mp4"][: len(films["mp4"]) // 2]) == "not_a_video"


def test_a_header_with_absurd_sizes_gets_a_word(films: dict[str, bytes]) -> None:
    data = bytearray(films["avi"])
    at = data.index(b"strf") + 12  # width and height in the stream's format
    data[at : at + 8] = b"\xff\xff\xff\x7f\xff\xff\xff\x7f"
    found = outcome(bytes(data))
    assert isinstance(found, list) or found in WORDS


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
def test_flipped_bits_do_no_harm(kind: str, seed: int, films: dict[str, bytes]) -> None:
    data, chance = bytearray(films[kind]), random.Random(seed)
    for _ in range(1 + len(data) // 500):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    found = outcome(bytes(data))
    assert isinstance(found, list) or found in WORDS | {"crash", "timeout"}


def test_a_video_that_never_ends_is_too_long(tmp_path: Path) -> None:
    path = write(tmp_path / "film.mkv", ((float(second), plain("black")) for second in range(0, 200, 20)))
    data = path.read_bytes()
    assert outcome(data) == "too_long", "as its header says"
    duration = data.index(b"\x44\x89")  # of the segment, a float; the header now says less than there is
    size = 8 if data[duration + 2] == 0x88 else 4
    shorter = data[: duration + 3] + bytes(size) + data[duration + 3 + size :]
    assert outcome(shorter) == "too_long", "as its frames say"
