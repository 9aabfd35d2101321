"""What a picture says of itself before a pixel is decoded, or a `PictureError` that says what is wrong with it.

Pictures come from strangers. Size and format are settled from the header before a pixel is decoded, exactly one of
Pillow's parsers sees the bytes, and whatever that parser raises becomes a `PictureError`.
"""

import io
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from mmap import mmap
from typing import IO, cast

from PIL import Image, ImageFile, UnidentifiedImageError

from faces.errors import PictureError
from faces.formats import isobmff, jpeg, webp
from faces.formats.limits import MAX_PIXELS, Limits, listed
from faces.formats.signatures import PictureBytes, format_of

# Pillow has no code for a file that ends too early, only these words.
_SAYS_TRUNCATED = re.compile(r"truncat|not enough|image not found|unexpected end", re.IGNORECASE)
# Pillow decodes run-length-encoded BMPs in Python, a byte at a time: 29 kB that claim 7000x7000 pixels took 26 s.
_BMP_RUN_LENGTHS = frozenset({1, 2})
_QUIET_PILLOW = ("ignore", None, Warning, re.compile(r"PIL\."), 0)


@dataclass(frozen=True)
class Header:
    """A picture's format, and its size in pixels as stored, before it is turned upright."""

    format: str
    width: int
    height: int


def check_header(data: PictureBytes, limits: Limits) -> Header:
    """Return a picture's format and size without decoding its pixels.

    Raises:
        PictureError: `empty`, `too_large`, `not_a_picture`, `format_not_allowed` or `too_many_pixels`;
            `truncated` or `damaged` where the header cannot be read.
    """
    name = identify(data, limits)
    with open_header(data, name, limits) as image:
        return Header(name, *image.size)


def identify(data: PictureBytes, limits: Limits) -> str:
    """Return a picture's format by its first bytes, checking it and the size in bytes against the limits."""
    if not data:
        raise PictureError("the picture is empty: send the file itself", code="empty")
    if len(data) > limits.max_bytes:
        raise PictureError(
            f"the picture has {len(data)} bytes, more than the {limits.max_bytes} allowed: send a smaller one",
            code="too_large",
        )
    name = format_of(data)
    if name is None:
        raise PictureError(
            f"not a picture: the file begins with {data[:8]!r}; send {listed(limits.formats)}",
            code="not_a_picture",
        )
    if name not in limits.formats:
        raise PictureError(
            f"{name} is not an accepted format: send {listed(limits.formats)}", code="format_not_allowed"
        )
    return name


def open_header(data: PictureBytes, name: str, limits: Limits) -> ImageFile.ImageFile:
    """Read the header with the one parser for `name`, and check the size in pixels against the limit."""
    _configure_pillow()
    if name in _CHECKS:
        _CHECKS[name](data, limits)
    try:
        image = Image.open(
            cast("IO[bytes]", data) if isinstance(data, mmap) else io.BytesIO(data), formats=[name]
        )
    except MemoryError:
        raise
    except Image.DecompressionBombError as error:
        raise limits.too_many_pixels(f"more than {MAX_PIXELS}") from error
    except Exception as error:  # a parser of hostile bytes raises whatever it runs into
        raise undecodable(f"the {name} header", error) from error
    limits.refuse_pixels(image.size)
    if name == "BMP" and image.info["compression"] in _BMP_RUN_LENGTHS:
        raise PictureError(
            "run-length-encoded BMP is not supported: save the picture as PNG", code="format_not_allowed"
        )
    return image


def undecodable(what: str, error: Exception) -> PictureError:
    """Return the error for what a parser ran into."""
    if _SAYS_TRUNCATED.search(str(error)):
        return PictureError(f"{what} is cut short ({error}): send the whole file", code="truncated")
    reason = "" if isinstance(error, UnidentifiedImageError) else f" ({error})"
    return PictureError(f"{what} is damaged{reason}: save the picture again and resend it", code="damaged")


def _check_heic(data: PictureBytes, limits: Limits) -> None:
    for size in isobmff.sizes(data):
        limits.refuse_pixels(size)


_CHECKS: Mapping[str, Callable[[PictureBytes, Limits], None]] = {
    "JPEG": lambda data, _: jpeg.refuse_bombs(data),
    "WEBP": webp.check,
    "HEIC": _check_heic,
}
"""What a format needs checked before Pillow's parser sees it."""


def _configure_pillow() -> None:
    """Set the two things that Pillow keeps for the whole process as a reader of strangers' bytes needs them.

    face_recognition's import makes Pillow accept truncated files. Neither is reset afterwards, because
    another thread may be decoding.
    """
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    if _QUIET_PILLOW not in warnings.filters:
        warnings.filterwarnings("ignore", module=r"PIL\.")
