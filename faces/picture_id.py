"""Bytes -> hash: a picture is named by the SHA-256 of its bytes, in lower-case hex, as sha256sum has it."""

from __future__ import annotations

import hashlib
import re
from mmap import mmap

HASH = re.compile(r"[0-9a-f]{64}")


def picture_id_of(data: bytes | mmap) -> str:
    """Return the hash of a picture's bytes."""
    return hashlib.sha256(data).hexdigest()


def is_picture_id(text: str) -> bool:
    """Tell whether a text has the form of a hash."""
    return HASH.fullmatch(text) is not None
