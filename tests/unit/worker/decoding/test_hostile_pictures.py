"""Bytes made to harm: each ends as a picture or as a `PictureError`, quietly, in little memory and time."""

import random
import resource
import struct
import zlib
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageCms

from faces.errors import PictureError
from faces.formats.signatures import KNOWN_FORMATS
from tests.support.decoding import LIMITS
from tests.support.saving import saved
from worker.decoding.decoder import Picture, decode

MUTATIONS = 150  # of each kind and format


def pixels(width: int = 24, height: int = 18) -> Image.Image:
    return Image.fromarray(np.random.default_rng(3).integers(0, 256, (height, width, 3), dtype=np.uint8))


def with_everything(format_: str) -> bytes:
    """A picture with orientation and profile wherever the format has a place for them."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "a description longer than four bytes"
    profile = (
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        .tobytes()
        .replace(b"\0s\0R\0G\0B", b"\0a" * 4)
    )
    return saved(pixels(), format_, exif=exif.tobytes(), icc_profile=profile)


SEEDS = {name: with_everything(name) for name in sorted(KNOWN_FORMATS)} | {
    "progressive": saved(pixels(), "JPEG", progressive=True),
    "cmyk": saved(pixels().convert("CMYK"), "JPEG"),
    "two in one": saved(pixels(), "MPO", save_all=True, append_images=[pixels()]),
    "palette": saved(pixels().convert("P"), "PNG", transparency=b"\x10\x20"),
    "interlaced animation": saved(
        pixels().convert("P"), "GIF", save_all=True, append_images=[pixels(20, 30)]
    ),
    "moving png": saved(pixels(), "PNG", save_all=True, append_images=[pixels()]),
    "moving webp": saved(pixels(), "WEBP", save_all=True, append_images=[pixels()], lossless=True),
    "packed tiff": saved(pixels(), "TIFF", compression="tiff_lzw"),
}


def flip_bits(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 2, 8, 40))):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def spoil_header(data: bytes, rng: random.Random) -> bytes:
    """Extreme numbers, in both byte orders, near the beginning."""
    changed = bytearray(data)
    for _ in range(rng.choice((1, 3))):
        number = rng.choice((0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 60000, 0x7FFFFFFF, 0xFFFFFFFF, 0x80000000))
        packed = struct.pack(rng.choice("<>") + ("I" if number > 0xFFFF else rng.choice("HI")), number)
        start = rng.randrange(2, min(200, len(data)))
        changed[start : start + len(packed)] = packed
    return bytes(changed)


def cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def splice(data: bytes, rng: random.Random) -> bytes:
    """The head of one picture before the tail of another, often of another format."""
    other = rng.choice(list(SEEDS.values()))
    return data[: rng.randrange(1, len(data))] + other[rng.randrange(len(other)) :]


def stuff(data: bytes, rng: random.Random) -> bytes:
    """Garbage, or the picture itself once more, in the middle."""
    start = rng.randrange(len(data))
    return data[:start] + rng.choice((rng.randbytes(rng.randrange(1, 300)), data, bytes(500))) + data[start:]


def repair_png(data: bytes) -> bytes:
    """Make every chunk's checksum true again, so that the parser goes on to what was changed."""
    position, repaired = 8, bytearray(data)
    while position + 12 <= len(data):
        end = position + 8 + int.from_bytes(data[position : position + 4], "big")
        repaired[end : end + 4] = struct.pack(">I", zlib.crc32(repaired[position + 4 : end]))
        position = end + 4
    return bytes(repaired[: max(len(data), 8)])


def ends_well(data: bytes) -> None:
    try:
        picture = decode(data, limits=LIMITS)
    except PictureError:
        return
    assert picture.pixels.size == 3 * picture.width * picture.height <= 3 * LIMITS.max_pixels


@pytest.mark.parametrize("mutate", [flip_bits, spoil_header, cut, splice, stuff])
@pytest.mark.parametrize("seed", SEEDS)
def test_damage_of_any_kind_ends_well(seed: str, mutate: Callable[[bytes, random.Random], bytes]) -> None:
    rng = random.Random(f"{seed} {mutate.__name__}")
    data = SEEDS[seed]
    for _ in range(MUTATIONS):
        mutated = mutate(data, rng)
        ends_well(mutated)
        if data.startswith(b"\x89PNG"):
            ends_well(repair_png(mutated))


def test_damage_stays_within_little_memory() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    rng = random.Random(5)
    for data in SEEDS.values():
        for _ in range(MUTATIONS):
            ends_well(spoil_header(data, rng))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 64 * 1024  # kB


def broken_exif(rng: random.Random) -> bytes:
    """A TIFF directory whose entries point and count anywhere, itself included."""
    order = rng.choice("<>")
    head = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(
        order + "I", rng.choice((8, 0, 2, 200, 1 << 31))
    )
    count = rng.choice((1, 5, 40, 65535))
    entries = b"".join(
        struct.pack(
            order + "HHII",
            rng.choice((0x0112, 0x011A, 0x0128, 0x8769, 0x8825, 0x014A, rng.randrange(65536))),
            rng.randrange(20),
            rng.choice((0, 1, 2, 1000, 0x7FFFFFFF, 0xFFFFFFFF)),
            rng.choice((0, 6, 8, 100, 0xFFFFFFFF, rng.randrange(1 << 32))),
        )
        for _ in range(min(count, 40))
    )
    return b"Exif\0\0" + rng.choice(
        (head + struct.pack(order + "H", count) + entries, rng.randbytes(60), head, b"")
    )


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP"])
def test_a_broken_exif_block_never_costs_the_picture(format_: str) -> None:
    rng = random.Random(format_)
    for _ in range(300):
        data = saved(pixels(), format_, exif=broken_exif(rng))
        assert isinstance(decode(data, limits=LIMITS), Picture)


def test_a_broken_profile_never_costs_the_picture() -> None:
    rng = random.Random(8)
    profile = (
        ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        .tobytes()
        .replace(b"\0s\0R\0G\0B", b"\0a" * 4)
    )
    for _ in range(500):
        data = saved(pixels(), "PNG", icc_profile=rng.choice((flip_bits, cut, spoil_header))(profile, rng))
        assert isinstance(decode(data, limits=LIMITS), Picture)


@pytest.mark.parametrize(("compression", "bits"), [(1, 8), (2, 4)])
def test_a_bmp_in_run_lengths_is_refused_unread(compression: int, bits: int) -> None:
    palette = bytes(4 << bits)
    size = (1000, 1000, 1, bits, compression)
    header = struct.pack("<IHHIIiiHHIIiiII", 0, 0, 0, 54 + len(palette), 40, *size, 0, 0, 0, 0, 0)
    with pytest.raises(PictureError, match="save the picture as PNG") as caught:
        decode(b"BM" + header + palette + b"\x01\x05\x00\x00" * 1000, limits=LIMITS)
    assert caught.value.code == "format_not_allowed"


def test_a_page_that_is_also_a_picture_is_a_picture() -> None:
    data = saved(pixels(), "GIF")
    assert isinstance(decode(data + b"<script>alert(1)</script>", limits=LIMITS), Picture)
    with pytest.raises(PictureError, match="not a picture: the file begins with"):
        decode(b"<html>" + data, limits=LIMITS)
