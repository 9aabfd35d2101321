"""Which files are videos, told from their first bytes and their suffix before anybody decodes them."""

from __future__ import annotations

import re

SIGNATURE = re.compile(
    rb"....(?:ftyp|moov|mdat|free|skip|wide|pnot)"  # MP4 and QuickTime
    rb"|\x1a\x45\xdf\xa3"  # Matroska and WebM
    rb"|RIFF....AVI "
    rb"|\x30\x26\xb2\x75\x8e\x66\xcf\x11"  # ASF, as WMV is stored
    rb"|FLV\x01",
    re.DOTALL,
)
SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".wmv", ".asf", ".flv"})
HEAD = 16  # bytes that the signature needs


def is_video(head: bytes) -> bool:
    """Tell whether a file that begins with these bytes may be a video."""
    return SIGNATURE.match(head) is not None


def frame_name(video: str, seconds: float) -> str:
    """Name of the frame of a video at a time, as a media fragment: `film.mp4#t=83.4`."""
    return f"{video}#t={seconds:.3f}".rstrip("0").rstrip(".")
