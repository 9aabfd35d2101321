"""The picture formats that can be accepted: one entry each. What some need checked beyond it is in `header`."""

import re
from dataclasses import dataclass
from mmap import mmap


@dataclass(frozen=True)
class Format:
    """A format under Pillow's name for it: how its files begin, how they are named, whether it is on by default."""

    name: str
    signature: re.Pattern[bytes]
    suffixes: tuple[str, ...]
    default: bool = True


FORMATS = (
    Format("JPEG", re.compile(rb"\xff\xd8\xff"), (".jpg", ".jpeg", ".jpe", ".jfif")),
    Format("PNG", re.compile(rb"\x89PNG\r\n\x1a\n"), (".png",)),
    Format("GIF", re.compile(rb"GIF8[79]a"), (".gif",)),
    Format("BMP", re.compile(rb"BM"), (".bmp",)),
    Format("WEBP", re.compile(rb"RIFF....WEBP", re.DOTALL), (".webp",)),
    Format("TIFF", re.compile(rb"II[\x2a\x2b]\0|MM\0[\x2a\x2b]"), (".tif", ".tiff"), default=False),
    Format(
        "AVIF",
        re.compile(rb"....ftyp(?:avi[fs]|m[is]f1....(?:....){,9}?avi[fs])", re.DOTALL),
        (".avif",),
        default=False,
    ),
    Format(  # of the brand mif1, what is not AVIF
        "HEIC",
        re.compile(rb"....ftyp(?:hei[cmsx]|hev[cmsx]|m[is]f1)", re.DOTALL),
        (".heic", ".heif"),
        default=False,
    ),
)
"""The first signature that matches counts."""

KNOWN_FORMATS = frozenset(known.name for known in FORMATS)
DEFAULT_FORMATS = tuple(known.name for known in FORMATS if known.default)


PictureBytes = bytes | mmap
"""A file's content, in memory or mapped into it."""


def format_of(data: PictureBytes) -> str | None:
    """Return the name of the format that a file's first bytes announce; None for no format of ours."""
    return next((known.name for known in FORMATS if known.signature.match(data)), None)


def suffixes_of(formats: tuple[str, ...]) -> frozenset[str]:
    """Return the file suffixes of formats, in lower case and with their dot."""
    return frozenset(suffix for known in FORMATS if known.name in formats for suffix in known.suffixes)
