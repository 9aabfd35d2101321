"""The boxes that a HEIC file consists of, read without decoding anything (ISO/IEC 14496-12 and 23008-12)."""

import re
from collections.abc import Iterator

from faces.formats.signatures import PictureBytes

PADDING = 63  # pixels: HEVC is coded in blocks of at most 64
_SIZE = re.compile(rb"ispe....(....)(....)", re.DOTALL)


def sizes(data: PictureBytes) -> Iterator[tuple[int, int]]:
    """Least width and height in pixels of everything that may have to be decoded for the picture.

    The size that a reader tells is that of what is seen: a clean aperture may show a few pixels of a giant. The
    boxes `ispe` (ISO/IEC 23008-12, 6.5.3) have the sizes before any such cut, with what the encoder padded.
    """
    for kind, start, end in _outermost(data):
        if kind == b"meta":
            for found in _SIZE.finditer(data, start, end):
                width, height = (int.from_bytes(side, "big") for side in found.groups())
                yield max(1, width - PADDING), max(1, height - PADDING)


def _outermost(data: PictureBytes) -> Iterator[tuple[bytes, int, int]]:
    """Kind, start and end of each box of the outermost level; the last one may be cut short."""
    start = 0
    while start + 8 <= len(data):
        length = int.from_bytes(data[start : start + 4], "big")
        if length == 1:  # it does not fit into 32 bits
            length = int.from_bytes(data[start + 8 : start + 16], "big")
        end = start + length if length else len(data)  # 0: to the end
        if end < start + 8:
            return
        yield data[start + 4 : start + 8], start, min(end, len(data))
        start = end
