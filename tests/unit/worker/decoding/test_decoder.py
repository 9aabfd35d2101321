"""What a good picture becomes."""

import numpy as np
import pytest
from PIL import Image

from faces.formats.header import Header, check_header
from faces.formats.signatures import KNOWN_FORMATS
from tests.support.decoding import BLUE, GREEN, LIMITS, RED, STORED, four_corners, noise
from tests.support.saving import saved
from worker.decoding.decoder import decode


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
