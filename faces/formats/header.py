"""What a picture says of itself before a pixel is decoded, or a `PictureError` that says what is wrong with it.

Pictures come from strangers. Size and format are settled from the header before a pixel is decoded, exactly
one of Pillow's parsers sees the bytes, and whatever that parser runs into ends as a `PictureError`.
"""

import io
import re
import warnings
from dataclasses import dataclass

from PIL import Image, ImageFile, UnidentifiedImageError

from faces.config import Settings
from faces.errors import PictureError, SettingError
from faces.formats import isobmff, jpeg

DEFAULT_FORMATS = frozenset({"JPEG", "PNG", "GIF", "BMP", "WEBP"})
MOST_PIXELS = 178_956_970  # more are an error to Pillow itself: twice its MAX_IMAGE_PIXELS

# The first bytes of each format that can be allowed, under the name that Pillow knows it by; the first one counts.
_SIGNATURES = {
    "JPEG": re.compile(rb"\xff\xd8\xff"),
    "PNG": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "GIF": re.compile(rb"GIF8[79]a"),
    "BMP": re.compile(rb"BM"),
    "WEBP": re.compile(rb"RIFF....WEBP", re.DOTALL),
    "TIFF": re.compile(rb"II[\x2a\x2b]\0|MM\0[\x2a\x2b]"),
    "AVIF": re.compile(rb"....ftyp(?:avi[fs]|m[is]f1....(?:....){,9}?avi[fs])", re.DOTALL),
    "HEIC": re.compile(rb"....ftyp(?:hei[cmsx]|hev[cmsx]|m[is]f1)", re.DOTALL),  # of mif1, what is not AVIF
}
KNOWN_FORMATS = frozenset(_SIGNATURES)

# Pillow has no code for a file that ends too early, only these words.
_SAYS_TRUNCATED = re.compile(r"truncat|not enough|image not found|unexpected end", re.IGNORECASE)
# Pillow decodes these in Python, a byte at a time: 29 kB that claim 7000x7000 pixels took it 26 s.
_BMP_RUN_LENGTHS = frozenset({1, 2})
_QUIET_PILLOW = ("ignore", None, Warning, re.compile(r"PIL\."), 0)


@dataclass(frozen=True)
class Limits:
    """What a picture may be.

    Raises:
        SettingError: a format that is not among `KNOWN_FORMATS` or lacks its reader, or more than `MOST_PIXELS`.
    """

    max_bytes: int
    max_pixels: int
    formats: frozenset[str] = DEFAULT_FORMATS

    @classmethod
    def of(cls, settings: Settings) -> "Limits":
        """The limits that settings ask for."""
        formats = frozenset(settings.picture_formats)
        return cls(settings.max_picture_bytes, settings.max_picture_pixels, formats)

    def __post_init__(self) -> None:
        if unknown := self.formats - KNOWN_FORMATS:
            raise SettingError(
                f"Picture format {_listed(unknown)} is not known: choose from {_listed(KNOWN_FORMATS)}."
            )
        if self.max_pixels > MOST_PIXELS:
            raise SettingError(f"{self.max_pixels} pixels are too many to allow: set at most {MOST_PIXELS}.")
        if "HEIC" in self.formats:
            _read_heic()


@dataclass(frozen=True)
class Header:
    """What a picture says of itself: format, and size in pixels as stored, before it is turned upright."""

    format: str
    width: int
    height: int


def check_header(data: bytes, limits: Limits) -> Header:
    """Tell a picture's format and size without decoding its pixels.

    Raises:
        PictureError: `empty`, `too_large`, `not_a_picture`, `format_not_allowed` or `too_many_pixels`;
            `truncated` or `damaged` where the header cannot be read.
    """
    name = identify(data, limits)
    with open_header(data, name, limits) as image:
        return Header(name, *image.size)


def identify(data: bytes, limits: Limits) -> str:
    """Tell a picture's format from its first bytes, and hold it and the size in bytes against the limits."""
    if not data:
        raise PictureError("The picture has no bytes; send the file itself.", code="empty")
    if len(data) > limits.max_bytes:
        raise PictureError(
            f"The picture has {len(data)} bytes and {limits.max_bytes} are allowed; send a smaller one.",
            code="too_large",
        )
    name = next((name for name, signature in _SIGNATURES.items() if signature.match(data)), None)
    if name is None:
        raise PictureError(
            f"The bytes do not begin like a picture ({data[:8]!r}); send one of {_listed(limits.formats)}.",
            code="not_a_picture",
        )
    if name not in limits.formats:
        raise PictureError(
            f"The picture's format, {name}, is not allowed; send one of {_listed(limits.formats)}.",
            code="format_not_allowed",
        )
    return name


def open_header(data: bytes, name: str, limits: Limits) -> ImageFile.ImageFile:
    """Read the header with the one parser for `name`, and hold its size against the limit."""
    _settle_pillow()
    if name == "JPEG":
        jpeg.refuse_bombs(data)
    if name == "WEBP":
        _check_webp(data, limits)
    if name == "HEIC":
        for size in isobmff.sizes(data):
            _refuse_pixels(size, limits)
    try:
        image = Image.open(io.BytesIO(data), formats=[name])
    except MemoryError:
        raise
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(f"more than {MOST_PIXELS}", limits) from error
    except Exception as error:  # as in decode
        raise undecodable(f"The bytes begin like {name}, but the header", error) from error
    _refuse_pixels(image.size, limits)
    if name == "BMP" and image.info["compression"] in _BMP_RUN_LENGTHS:
        raise PictureError(
            "The BMP picture is coded in run lengths, which are not read; save it as PNG.",
            code="format_not_allowed",
        )
    return image


def _read_heic() -> None:
    """Add the reader of HEIC, which is installed only where somebody wants it."""
    try:
        from faces.formats import heic  # noqa: PLC0415 -- nobody else needs the library
    except ImportError as error:
        raise SettingError(
            "PICTURE_FORMATS has HEIC, but its reader is not installed: pip install 'facefleet[heic]'"
        ) from error
    heic.register()


def _settle_pillow() -> None:
    """Set the two things that Pillow keeps for the whole process as a reader of strangers' bytes needs them.

    face_recognition's import makes Pillow accept truncated files. Neither is set back afterwards: another
    thread may be decoding.
    """
    ImageFile.LOAD_TRUNCATED_IMAGES = False
    if _QUIET_PILLOW not in warnings.filters:
        warnings.filterwarnings("ignore", module=r"PIL\.")


def _refuse_pixels(size: tuple[int, int], limits: Limits) -> None:
    width, height = size
    if width * height > limits.max_pixels:
        raise _too_many_pixels(f"{width}x{height}", limits)


def _check_webp(data: bytes, limits: Limits) -> None:
    """Check what Pillow's parser does not: it allocates the canvas at once, and calls a short file broken."""
    if _little(data[4:8]) + 8 > len(data):
        missing = _little(data[4:8]) + 8 - len(data)
        raise PictureError(f"The WEBP picture lacks {missing} bytes; send the whole file.", code="truncated")
    _refuse_pixels(_webp_size(data), limits)


def _webp_size(data: bytes) -> tuple[int, int]:
    """Read the canvas size as RFC 9649 lays it out for the three kinds of first chunk."""
    if data[12:16] == b"VP8X":
        return _little(data[24:27]) + 1, _little(data[27:30]) + 1
    if data[12:16] == b"VP8L":
        bits = _little(data[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return _little(data[26:28]) & 0x3FFF, _little(data[28:30]) & 0x3FFF


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")


def undecodable(what: str, error: Exception) -> PictureError:
    """The error for what a parser ran into."""
    if _SAYS_TRUNCATED.search(str(error)):
        return PictureError(f"{what} is cut short ({error}); send the whole file.", code="truncated")
    reason = "" if isinstance(error, UnidentifiedImageError) else f" ({error})"
    return PictureError(
        f"{what} cannot be read{reason}; save the picture again and resend it.", code="damaged"
    )


def _too_many_pixels(size: str, limits: Limits) -> PictureError:
    return PictureError(
        f"The picture has {size} pixels and {limits.max_pixels} are allowed; send a smaller one.",
        code="too_many_pixels",
    )


def _listed(formats: frozenset[str]) -> str:
    return ", ".join(sorted(formats))
