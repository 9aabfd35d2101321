"""What is refused, and what is taken although it looks odd."""

import struct
import sys
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from faces import formats
from faces.errors import PictureError, SettingError
from faces.formats.header import check_header, identify
from faces.formats.limits import Limits
from faces.formats.signatures import DEFAULT_FORMATS, KNOWN_FORMATS
from tests.support.decoding import (
    LIMITS,
    code_of,
    four_corners,
    noise,
)
from tests.support.saving import saved
from worker.decoding.decoder import Picture, decode


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"hello, this is text", "not_a_picture"),
        (b"%PDF-1.7 ...", "not_a_picture"),
        (b"\x89PNG\r\n\x1a\n", "damaged"),
        (b"BM" + bytes(100), "damaged"),
    ],
)
def test_bytes_that_are_no_picture(data: bytes, code: str) -> None:
    assert code_of(data) == code


def test_too_many_bytes() -> None:
    data = saved(noise())
    assert code_of(data, Limits(max_bytes=len(data) - 1, max_pixels=1 << 20)) == "too_large"
    assert isinstance(decode(data, limits=Limits(max_bytes=len(data), max_pixels=4800)), Picture)


@pytest.mark.parametrize("format_", sorted(KNOWN_FORMATS))
def test_too_many_pixels(format_: str) -> None:
    data = saved(noise(), format_)
    with pytest.raises(PictureError, match=r"80x60.*4799") as caught:
        check_header(data, Limits(1 << 20, 4799, KNOWN_FORMATS))
    assert caught.value.code == "too_many_pixels"
    assert check_header(data, Limits(1 << 20, 4800, KNOWN_FORMATS)).format == format_


def test_formats_outside_the_list_are_refused() -> None:
    for format_ in ("TIFF", "AVIF", "HEIC"):
        assert code_of(saved(noise(), format_), Limits(1 << 20, 1 << 20)) == "format_not_allowed"
    assert (
        code_of(saved(noise(), "PNG"), Limits(1 << 20, 1 << 20, frozenset({"JPEG"}))) == "format_not_allowed"
    )
    assert DEFAULT_FORMATS == ("JPEG", "PNG", "GIF", "BMP", "WEBP")


@pytest.mark.parametrize(("brand", "other"), [(b"mif1", b"miaf"), (b"msf1", b"iso8")])
def test_what_a_general_brand_holds_is_told_by_the_brands_after_it(brand: bytes, other: bytes) -> None:
    start = b"\0\0\0\x1cftyp" + brand + bytes(4)
    assert identify(start + other + b"heic" + b"mif1" + bytes(40), LIMITS) == "HEIC"
    assert identify(start + other + b"avif" + b"mif1" + bytes(40), LIMITS) == "AVIF"


def test_heic_without_its_reader_cannot_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "faces.formats.heic", raising=False)
    monkeypatch.delattr(formats, "heic", raising=False)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)  # as if it were not installed
    with pytest.raises(SettingError, match=r"pip install 'facefleet\[heic\]'"):
        Limits(1, 1, frozenset({"HEIC"}))
    assert Limits(1, 1).formats == frozenset(DEFAULT_FORMATS)


def test_limits_that_cannot_be_used() -> None:
    with pytest.raises(SettingError, match="JPG"):
        Limits(1, 1, frozenset({"JPG", "PNG"}))
    with pytest.raises(SettingError, match="178956970"):
        Limits(1, 178_956_971)


CUT = [("JPEG", {}), ("JPEG", {"progressive": True}), ("PNG", {}), ("GIF", {}), ("BMP", {}), ("TIFF", {})]


CUT += [("WEBP", {}), ("WEBP", {"lossless": True}), ("HEIC", {})]


@pytest.mark.parametrize(("format_", "options"), CUT)
@pytest.mark.parametrize("accept_truncated", [False, True])
def test_a_truncated_picture_is_refused_whatever_another_library_has_set(
    format_: str, options: dict[str, Any], accept_truncated: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = saved(noise(), format_, **options)
    for share in (0.4, 0.7, 0.95):
        monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", accept_truncated)
        assert code_of(data[: int(len(data) * share)]) == "truncated"


@pytest.mark.parametrize("format_", sorted(KNOWN_FORMATS - {"AVIF"}))
def test_trailing_bytes_are_accepted(format_: str) -> None:
    data = saved(four_corners(), format_)
    with_more = decode(data + b"PK\x03\x04 and the rest of an archive" * 100, limits=LIMITS)
    np.testing.assert_array_equal(with_more.pixels, decode(data, limits=LIMITS).pixels)


def test_a_camera_file_of_two_pictures_is_a_jpeg() -> None:
    pair = Image.fromarray(four_corners())
    data = saved(pair, "MPO", save_all=True, append_images=[Image.fromarray(noise())])
    picture = decode(data, limits=Limits(1 << 20, 1 << 20))
    assert (picture.format, picture.width, picture.height) == ("JPEG", 48, 32)


def test_messages_say_what_to_do() -> None:
    with pytest.raises(
        PictureError, match=r"TIFF is not an accepted format: send BMP, GIF, JPEG, PNG, WEBP$"
    ):
        decode(saved(noise(), "TIFF"), limits=Limits(1 << 20, 1 << 20))
    with pytest.raises(
        PictureError, match=r"JPEG picture of 80x60 pixels is cut short .*: send the whole file$"
    ):
        decode(saved(noise(), "JPEG")[:-500], limits=LIMITS)
    with pytest.raises(PictureError) as caught:
        decode(b"GIF89a" + struct.pack("<HH", 5, 5), limits=LIMITS)
    assert "0x" not in str(caught.value)
