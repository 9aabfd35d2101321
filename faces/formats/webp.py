"""WEBP headers: what Pillow leaves unchecked. It allocates the canvas at once, and calls a short file broken."""

from faces.errors import PictureError
from faces.formats.limits import Limits
from faces.formats.signatures import PictureBytes


def check(data: PictureBytes, limits: Limits) -> None:
    """Check a file's length and its canvas.

    Raises:
        PictureError: `truncated` or `too_many_pixels`.
    """
    missing = _little(data[4:8]) + 8 - len(data)
    if missing > 0:
        raise PictureError(f"the WEBP file is {missing} bytes short: send the whole file", code="truncated")
    limits.refuse_pixels(_canvas(data))


def _canvas(data: PictureBytes) -> tuple[int, int]:
    """Read the canvas size as RFC 9649 lays it out for the three kinds of first chunk."""
    if data[12:16] == b"VP8X":
        return _little(data[24:27]) + 1, _little(data[27:30]) + 1
    if data[12:16] == b"VP8L":
        bits = _little(data[21:25])
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return _little(data[26:28]) & 0x3FFF, _little(data[28:30]) & 0x3FFF


def _little(data: bytes) -> int:
    return int.from_bytes(data, "little")
