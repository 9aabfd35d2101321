"""Which part of a picture a crop shows, and crops in one file."""

from __future__ import annotations

import io
import zipfile

import pytest
from PIL import Image

from faces.image_store.crops import area, cut, pack, unpack


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((100, 100, 200, 200), (70, 70, 230, 230)),  # 30% on each side
        ((-20, 0, 80, 100), (0, 0, 110, 130)),  # cut off at the picture's edge
        ((350, 250, 450, 350), (320, 220, 400, 300)),
        ((500, 400, 500, 400), (399, 299, 400, 300)),  # beyond it: never empty
    ],
)
def test_a_crop_has_a_margin_and_ends_with_the_picture(
    box: tuple[float, float, float, float], expected: tuple[int, int, int, int]
) -> None:
    assert area(box, 400, 300) == expected


def test_a_large_face_is_made_smaller_and_a_small_one_not_larger() -> None:
    image = Image.new("RGB", (400, 300), "red")
    for box, size in (((100, 100, 200, 200), (80, 80)), ((100, 100, 120, 120), (32, 32))):
        with Image.open(io.BytesIO(cut(image, box, 80))) as crop:
            assert (crop.format, crop.size) == ("JPEG", size)


def test_anybody_can_look_into_the_file() -> None:
    packed = pack([b"first", b"second"])
    assert [unpack(packed, index) for index in (0, 1, 2)] == [b"first", b"second", None]
    assert zipfile.ZipFile(io.BytesIO(packed)).namelist() == ["0.jpg", "1.jpg"]
    assert unpack(packed[:-10], 0) is None
