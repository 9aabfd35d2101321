"""Few bytes that claim to be much, or take long: each is refused before it takes memory or time."""

import resource
import struct
import zlib

import pytest
from PIL import Image

from faces.errors import PictureError
from faces.formats.jpeg import MAX_SCANS, MAX_SEGMENTS
from tests.support.decoding import LIMITS, noise
from tests.support.saving import saved
from worker.decoding.decoder import Picture, decode

SMALL = Image.fromarray(noise(24, 18))


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def giant_webp(chunk: bytes, body: bytes) -> bytes:
    padded = chunk + struct.pack("<I", len(body)) + body + bytes(len(body) % 2)
    return b"RIFF" + struct.pack("<I", len(padded) + 4) + b"WEBP" + padded


def with_heic_size(data: bytes, width: int, height: int) -> bytes:
    """A HEIC picture that tells another size, before whatever is cut off it."""
    start = data.index(b"ispe") + 8
    return data[:start] + struct.pack(">II", width, height) + data[start + 8 :]


HUGE = 60000
GIANTS = {
    "PNG": b"\x89PNG\r\n\x1a\n"
    + png_chunk(b"IHDR", struct.pack(">IIBBBBB", HUGE, HUGE, 8, 2, 0, 0, 0))
    + png_chunk(b"IDAT", zlib.compress(bytes(1000)))
    + png_chunk(b"IEND", b""),
    "GIF": b"GIF89a"
    + struct.pack("<HHBBB", HUGE, HUGE, 0, 0, 0)
    + b","
    + saved(SMALL, "GIF").partition(b",")[2],
    "GIF frame beyond its canvas": b"GIF89a"
    + struct.pack("<HHBBB", 10, 10, 0, 0, 0)
    + b","
    + struct.pack("<HHHHB", 5000, 5000, 10, 10, 0)
    + b"\x02\x02\x44\x01\x00;",
    "BMP": b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, HUGE, HUGE, 1, 24, 0, 0, 0, 0, 0, 0),
    "JPEG": saved(SMALL, "JPEG").replace(struct.pack(">HH", 18, 24), struct.pack(">HH", HUGE, HUGE)),
    "TIFF": saved(SMALL, "TIFF").replace(
        struct.pack("<HHII", 256, 4, 1, 24), struct.pack("<HHII", 256, 4, 1, 1 << 30)
    ),
    "WEBP with features": giant_webp(b"VP8X", b"\x02\0\0\0" + (11999).to_bytes(3, "little") * 2),
    "WEBP without loss": giant_webp(b"VP8L", b"\x2f" + struct.pack("<I", 11999 | 11999 << 14) + bytes(20)),
    "WEBP with loss": giant_webp(
        b"VP8 ", b"\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", 12000, 12000) + bytes(20)
    ),
    "HEIC": with_heic_size(saved(Image.fromarray(noise(64, 64)), "HEIC"), 12000, 12000),
    "HEIC of which little is seen": with_heic_size(saved(SMALL, "HEIC"), 12000, 12000),
}


@pytest.mark.parametrize("name", GIANTS)
def test_a_header_that_claims_a_giant_is_refused_before_memory_is_taken(name: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(PictureError) as caught:
        decode(GIANTS[name], limits=LIMITS)
    assert caught.value.code == "too_many_pixels"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 16 * 1024  # kB


@pytest.mark.parametrize(
    ("side", "reason"),
    [(1020, "size signaled"), (100, "1024x1024 exceeds the maximum")],
)
def test_a_heic_of_another_size_than_it_tells_is_refused(side: int, reason: str) -> None:
    data = saved(Image.new("RGB", (1024, 1024)), "HEIC")
    assert b"clap" not in data
    with pytest.raises(PictureError, match=reason) as caught:
        decode(with_heic_size(data, side, side), limits=LIMITS)
    assert caught.value.code == "damaged"


def with_scans(times: int) -> bytes:
    """A progressive JPEG whose last scan comes so many times more."""
    data = saved(SMALL, "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * (times + 1) + b"\xff\xd9"


def test_a_jpeg_of_endless_scans_is_refused() -> None:
    assert isinstance(decode(with_scans(20), limits=LIMITS), Picture)
    with pytest.raises(PictureError, match=f"more than {MAX_SCANS} scans") as caught:
        decode(with_scans(MAX_SCANS), limits=LIMITS)
    assert caught.value.code == "damaged"


def test_a_jpeg_of_endless_separate_scans_is_refused() -> None:
    """A sequential JPEG may hold one component a scan, and then has no last scan either."""
    data = saved(SMALL, "JPEG")
    body = data.index(b"\xff\xda")
    empty_scan = b"\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00"
    with pytest.raises(PictureError, match="scans"):
        decode(data[:body] + empty_scan * (MAX_SCANS + 1) + data[body:], limits=LIMITS)


def test_a_jpeg_of_endless_segments_is_refused() -> None:
    data = saved(SMALL, "JPEG")
    segment = b"\xff\xe1" + struct.pack(">H", 9) + b"Exif\0\0x"
    assert isinstance(decode(data[:2] + segment * 100 + data[2:], limits=LIMITS), Picture)
    with pytest.raises(PictureError, match=f"more than {MAX_SEGMENTS} segments"):
        decode(data[:2] + segment * MAX_SEGMENTS + data[2:], limits=LIMITS)
