"""JPEG files that are small on the wire and cost minutes to read: refused before a decoder sees them.

- A JPEG of several scans (progressive, or one component a scan) costs a pass over the whole picture for each,
  even for a scan of ten bytes, and the format sets no limit to their number.
- Pillow joins EXIF segments one by one, so its time grows with the square of their number.
"""

import re

from faces.errors import PictureError
from faces.formats.signatures import PictureBytes

# libjpeg's own progressive script has 10 scans; the longest that encoders search for stay under 70.
MAX_SCANS = 100
# Headers, profiles (at most 255 segments) and metadata of real files; each further one may hold 64 kB.
MAX_SEGMENTS = 1000

_START_OF_SCAN = 0xDA
_END_OF_IMAGE = 0xD9
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_WITHOUT_LENGTH = frozenset({0xC8, _END_OF_IMAGE, *range(0xF0, 0xFE)})
# Not stuffing (00), padding (FF) or a restart (D0 to D7), nor a marker without meaning here (01, D8).
_MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd8\xff]")


def refuse_bombs(data: PictureBytes) -> None:
    """Walk the file's segments, as the decoders will, up to where the last scan can begin.

    Raises:
        PictureError: `damaged`: more than `MAX_SCANS` scans or `MAX_SEGMENTS` segments.
    """
    scans = components = position = 0
    progressive = False
    for _ in range(MAX_SEGMENTS):
        marker = _MARKER.search(data, position)
        if marker is None:
            return
        kind, body = marker[0][1], marker.end()
        if kind in _START_OF_FRAME:
            progressive, components = kind in _PROGRESSIVE, _number(data, body + 7, 1)
        elif kind == _START_OF_SCAN:
            scans += 1
            if not progressive and _number(data, body + 2, 1) == components:
                return  # this scan holds every component, and no decoder reads on after it
        elif kind == _END_OF_IMAGE and scans:
            return
        if scans > MAX_SCANS:
            raise _bomb(f"more than {MAX_SCANS} scans")
        position = body if kind in _WITHOUT_LENGTH else body + max(2, _number(data, body, 2))
    raise _bomb(f"more than {MAX_SEGMENTS} segments")


def _number(data: PictureBytes, start: int, size: int) -> int:
    return int.from_bytes(data[start : start + size], "big")


def _bomb(what: str) -> PictureError:
    return PictureError(
        f"the JPEG has {what}, which no camera writes: save it again and resend it", code="damaged"
    )
