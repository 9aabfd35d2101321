"""Colour profiles are applied, whatever else is in the file."""

from functools import lru_cache

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.support.decoding import LIMITS, RED, STORED, four_corners
from tests.support.saving import saved
from worker.decoding import orientation
from worker.decoding.decoder import decode

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
