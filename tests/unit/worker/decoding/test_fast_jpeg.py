"""libjpeg-turbo's own interface decodes as Pillow does, and leaves to Pillow what is not plainly in order."""

from __future__ import annotations

import io
import random
from typing import Any

import numpy as np
import pytest
from PIL import Image

from faces.errors import PictureError
from faces.formats.limits import Limits
from tests.support.saving import saved
from worker.decoding import decoder
from worker.decoding.decoder import decode
from worker.decoding.fast_jpeg import decode_jpeg

LIMITS = Limits(max_bytes=1 << 20, max_pixels=1 << 20)
KINDS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "progressive": {"progressive": True},
    "best": {"quality": 100},
    "worst": {"quality": 2},
    "4:4:4": {"subsampling": 0},
    "4:2:2": {"subsampling": 1},
    "restarts": {"restart_marker_blocks": 2},
    "stored as RGB": {"keep_rgb": True},
}


def blurred(width: int, height: int) -> Image.Image:
    """Soft spots of every colour, as in a photograph."""
    coarse = np.random.default_rng(width).integers(0, 256, (height // 8 + 1, width // 8 + 1, 3), np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def opened(data: bytes) -> Any:
    return Image.open(io.BytesIO(data), formats=["JPEG"])


def same_as_pillow(data: bytes, factor: int) -> None:
    image = opened(data)
    whole = image.size
    image.draft(None, (max(1, whole[0] // factor), max(1, whole[1] // factor)))
    pixels = decode_jpeg(data, image, whole)
    assert pixels is not None
    assert pixels.flags.c_contiguous
    assert pixels.flags.writeable
    np.testing.assert_array_equal(pixels, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("factor", [1, 2, 4, 8])
@pytest.mark.parametrize("kind", KINDS)
def test_pixels_are_pillows(kind: str, factor: int) -> None:
    for size in ((160, 120), (203, 117), (33, 16)):
        same_as_pillow(saved(blurred(*size), "JPEG", **KINDS[kind]), factor)


@pytest.mark.parametrize("factor", [1, 2, 8])
def test_grey_becomes_three_equal_channels(factor: int) -> None:
    same_as_pillow(saved(blurred(90, 70).convert("L"), "JPEG"), factor)


def test_any_width_and_height() -> None:
    for width in range(16, 42):
        for factor in (1, 2, 4, 8):
            same_as_pillow(saved(blurred(width, 59 - width), "JPEG"), factor)


@pytest.mark.parametrize(
    "data",
    [
        saved(blurred(80, 60).convert("CMYK"), "JPEG"),
        saved(blurred(80, 60), "JPEG")[:-40],
        saved(blurred(80, 60), "JPEG").replace(b"\xff\xda", b"\xff\xda\0"),
    ],
    ids=["CMYK", "cut short", "damaged"],
)
def test_what_is_left_to_pillow(data: bytes) -> None:
    image = opened(data)
    assert decode_jpeg(data, image, image.size) is None


def test_a_size_that_the_libraries_read_differently_is_left_to_pillow() -> None:
    data = saved(blurred(80, 60), "JPEG")
    assert decode_jpeg(data, opened(data), (80, 61)) is None


def test_the_least_picture_is_not_reduced_by_a_wrong_scale() -> None:
    data = saved(blurred(15, 9), "JPEG")
    image = opened(data)
    image.draft(None, (7, 4))
    assert decode_jpeg(data, image, (15, 9)) is None


def damaged(data: bytes, rng: random.Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 2, 10))):
        changed[rng.randrange(2, len(changed))] = rng.randrange(256)
    return bytes(changed[: rng.choice((len(changed), rng.randrange(len(changed))))])


def outcome(data: bytes, useful: int) -> tuple[object, ...]:
    try:
        made = decode(data, limits=LIMITS, useful=lambda *_: useful)
    except PictureError as error:
        return error.code, str(error)
    return made.width, made.height, made.scale, made.pixels.shape, made.pixels.tobytes()


@pytest.mark.parametrize("kind", KINDS)
def test_a_damaged_file_ends_as_it_does_in_pillow_alone(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = random.Random(kind)
    whole = saved(blurred(80, 60), "JPEG", **KINDS[kind])
    for _ in range(250):
        data, useful = damaged(whole, rng), rng.choice((80, 40, 20, 10))
        with_turbo = outcome(data, useful)
        with monkeypatch.context() as patch:
            patch.setattr(decoder, "decode_jpeg", lambda *_: None)
            assert with_turbo == outcome(data, useful)
