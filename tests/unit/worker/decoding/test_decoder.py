"""What a good picture becomes, and what is said of a bad one."""

import struct
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile

from faces import formats
from faces.errors import PictureError, SettingError
from faces.formats.header import Header, check_header, identify
from faces.formats.limits import Limits
from faces.formats.signatures import DEFAULT_FORMATS, KNOWN_FORMATS
from tests.support.saving import saved
from worker.decoding import orientation
from worker.decoding.decoder import Picture, decode

Pixels = NDArray[np.uint8]
LIMITS = Limits(max_bytes=1 << 20, max_pixels=1 << 20, formats=KNOWN_FORMATS)
RED, GREEN, BLUE, GREY = (250, 10, 10), (10, 240, 10), (10, 10, 230), (90, 90, 90)


def four_corners(width: int = 48, height: int = 32) -> Pixels:
    """Red | green above blue | grey: no turn or flip of it looks like another."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2], pixels[: height // 2, width // 2 :] = RED, GREEN
    pixels[height // 2 :, : width // 2], pixels[height // 2 :, width // 2 :] = BLUE, GREY
    return pixels


def noise(width: int = 80, height: int = 60) -> Pixels:
    return np.random.default_rng(1).integers(0, 256, (height, width, 3), dtype=np.uint8)


def code_of(data: bytes, limits: Limits = LIMITS) -> str:
    with pytest.raises(PictureError) as caught:
        decode(data, limits=limits)
    return caught.value.code


@pytest.mark.parametrize("format_", ["PNG", "BMP", "TIFF"])
def test_pixels_survive_a_lossless_format(format_: str) -> None:
    pixels = noise()
    picture = decode(saved(pixels, format_), limits=LIMITS)
    np.testing.assert_array_equal(picture.pixels, pixels)
    assert (picture.width, picture.height, picture.format, picture.scale) == (80, 60, format_, 1.0)


@pytest.mark.parametrize("format_", sorted(KNOWN_FORMATS))
def test_every_format_gives_contiguous_writable_rgb(format_: str) -> None:
    picture = decode(saved(four_corners(), format_), limits=LIMITS)
    assert picture.format == format_
    assert picture.pixels.shape == (32, 48, 3)
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.flags.c_contiguous
    assert picture.pixels.flags.writeable
    np.testing.assert_allclose(picture.pixels[4, 4], RED, atol=12)
    np.testing.assert_allclose(picture.pixels[-4, 4], BLUE, atol=12)


def test_the_header_tells_format_and_size() -> None:
    assert check_header(saved(noise(), "JPEG"), LIMITS) == Header("JPEG", 80, 60)


# How a picture lies in its file for each orientation, as EXIF defines it: by where its first row and column belong.
STORED: dict[int, Callable[[Pixels], Pixels]] = {
    1: lambda upright: upright,
    2: lambda upright: upright[:, ::-1],
    3: lambda upright: upright[::-1, ::-1],
    4: lambda upright: upright[::-1],
    5: lambda upright: upright.swapaxes(0, 1),
    6: lambda upright: upright[:, ::-1].swapaxes(0, 1),
    7: lambda upright: upright[::-1, ::-1].swapaxes(0, 1),
    8: lambda upright: upright[::-1].swapaxes(0, 1),
}


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF", "HEIC"])
@pytest.mark.parametrize("orientation", sorted(STORED))
def test_exif_orientation_is_applied(orientation: int, format_: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.ascontiguousarray(STORED[orientation](four_corners()))
    picture = decode(saved(stored, format_, exif=exif.tobytes()), limits=LIMITS)
    assert (picture.width, picture.height) == (48, 32)
    for y, x in ((4, 4), (4, 43), (27, 4), (27, 43)):
        np.testing.assert_allclose(picture.pixels[y, x], four_corners()[y, x], atol=25)


def test_the_turn_that_heic_tells_in_its_boxes_counts_and_what_exif_says_beside_it_does_not() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = saved(four_corners(), "HEIC", exif=exif.tobytes())
    assert turned.count(b"irot") == 1
    for data in (turned.replace(b"irot", b"free"), saved(four_corners(), "HEIC", exif=exif)):
        assert b"irot" not in data
        np.testing.assert_allclose(decode(data, limits=LIMITS).pixels, four_corners(), atol=60)


@pytest.mark.parametrize("orientation", [0, 9, 65535])
def test_a_nonsense_orientation_means_upright(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = decode(saved(four_corners(), exif=exif), limits=LIMITS)
    np.testing.assert_array_equal(picture.pixels, four_corners())


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (20, 20), colour) for colour in (RED, GREEN)]
    for format_ in ("GIF", "WEBP", "PNG"):
        picture = decode(saved(frames[0], format_, save_all=True, append_images=frames[1:]), limits=LIMITS)
        np.testing.assert_allclose(picture.pixels[10, 10], RED, atol=8, err_msg=format_)


def test_sixteen_bit_grey_is_scaled_not_clipped() -> None:
    grey = np.array([[0, 255, 256, 32768, 65535]], np.uint16)
    picture = decode(saved(grey), limits=LIMITS)
    np.testing.assert_array_equal(picture.pixels[0, :, 0], [0, 0, 1, 128, 255])


def test_one_bit_grey_and_alpha_and_palette() -> None:
    black_and_white = Image.fromarray(np.array([[0, 255]], np.uint8)).convert("1")
    assert decode(saved(black_and_white), limits=LIMITS).pixels.tolist() == [[[0] * 3, [255] * 3]]
    grey_and_alpha = Image.new("LA", (2, 1), (77, 0))
    assert decode(saved(grey_and_alpha), limits=LIMITS).pixels.tolist() == [[[77] * 3] * 2]
    palette = Image.new("P", (2, 1), 1)
    palette.putpalette([*GREEN, *BLUE])
    for transparency in (1, b"\x40\x80"):
        picture = decode(saved(palette, transparency=transparency), limits=LIMITS)
        assert picture.pixels.tolist() == [[list(BLUE)] * 2]


def test_alpha_is_dropped() -> None:
    picture = decode(saved(Image.new("RGBA", (3, 3), (*RED, 0))), limits=LIMITS)
    np.testing.assert_array_equal(picture.pixels, np.full((3, 3, 3), RED))


def test_cmyk_is_converted() -> None:
    cmyk = Image.new("CMYK", (16, 16), (0, 255, 255, 0))
    np.testing.assert_allclose(decode(saved(cmyk, "JPEG"), limits=LIMITS).pixels[8, 8], (255, 0, 0), atol=6)


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def renamed(profile: bytes) -> bytes:
    """The same profile, without sRGB in its name."""
    return profile.replace(b"sRGB", b"RGBs").replace("sRGB".encode("utf-16-be"), "RGBs".encode("utf-16-be"))


def swapped_profile() -> bytes:
    """An sRGB profile, its name included, whose red and blue primaries are exchanged."""
    profile = SRGB.replace(b"rXYZ", b"\0XYZ").replace(b"bXYZ", b"\0XYZ")
    return profile.replace(b"\0XYZ", b"bXYZ", 1).replace(b"\0XYZ", b"rXYZ", 1)


@pytest.mark.parametrize("profile", [swapped_profile(), renamed(swapped_profile())], ids=["sRGB", "RGBs"])
def test_an_embedded_profile_is_applied_whatever_its_name(profile: bytes) -> None:
    for format_ in ("PNG", "JPEG"):
        picture = decode(saved(four_corners(), format_, icc_profile=profile), limits=LIMITS)
        np.testing.assert_allclose(picture.pixels[4, 4], RED[::-1], atol=6)


@pytest.mark.parametrize(
    "ignored",
    [
        SRGB,
        renamed(SRGB),
        swapped_profile()[:200],
        b"not a profile",
        swapped_profile().replace(b"RGB ", b"CMYK"),
    ],
    ids=["sRGB", "sRGB of another name", "cut", "text", "of other channels"],
)
def test_a_profile_that_is_srgb_or_broken_changes_nothing(ignored: bytes) -> None:
    picture = decode(saved(four_corners(), icc_profile=ignored), limits=LIMITS)
    np.testing.assert_array_equal(picture.pixels, four_corners())


def test_a_profile_is_applied_to_a_reduced_and_turned_picture() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = np.ascontiguousarray(STORED[6](four_corners(320, 160)))
    data = saved(stored, "JPEG", exif=exif, icc_profile=swapped_profile())
    picture = decode(data, limits=LIMITS, useful=lambda *_: 80)
    assert picture.pixels.shape == (40, 80, 3)
    np.testing.assert_allclose(picture.pixels[4, 4], RED[::-1], atol=6)


def test_a_profile_is_read_once_unless_it_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    def counted(profile: bytes, mode: str) -> None:
        made.append(mode)

    monkeypatch.setattr(orientation, "_transform", counted)
    monkeypatch.setattr(orientation, "_kept_transform", lru_cache(orientation.TRANSFORMS_KEPT)(counted))
    small, large = b"x", bytes(orientation.MAX_KEPT + 1)
    for profile, times in ((small, 1), (large, 3)):
        made.clear()
        for _ in range(3):
            decode(saved(four_corners(), icc_profile=profile), limits=LIMITS)
        assert len(made) == times


@pytest.mark.parametrize(
    ("longest_useful", "scale", "shape"),
    [
        (803, 1, (600, 803)),
        (500, 1, (600, 803)),
        (400, 2, (300, 402)),
        (101, 4, (150, 201)),
        (1, 8, (75, 101)),
    ],
)
def test_a_jpeg_is_reduced_where_that_many_pixels_are_of_no_use(
    longest_useful: int, scale: float, shape: tuple[int, int]
) -> None:
    picture = decode(saved(four_corners(803, 600), "JPEG"), limits=LIMITS, useful=lambda *_: longest_useful)
    assert (picture.scale, picture.pixels.shape[:2]) == (scale, shape)
    assert (picture.width, picture.height) == (803, 600)


def test_a_reduced_picture_is_turned_and_its_positions_map_back() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stored = np.ascontiguousarray(STORED[6](four_corners(800, 400)))
    picture = decode(saved(stored, "JPEG", exif=exif), limits=LIMITS, useful=lambda *_: 100)
    assert (picture.width, picture.height, picture.scale) == (800, 400, 8.0)
    row = picture.pixels[10].astype(int)
    border = int(np.argmax(row[:, 1] > row[:, 0]))  # from red to green
    assert abs(border * picture.scale - 400) <= picture.scale


def test_other_formats_are_never_reduced() -> None:
    picture = decode(saved(noise(), "PNG"), limits=LIMITS, useful=lambda *_: 8)
    assert (picture.scale, picture.pixels.shape) == (1.0, (60, 80, 3))


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
