"""Opaque cursors: where a list goes on."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any

from pydantic import Field

from faces.documents import from_json, to_json
from faces.picture_id import is_picture_id
from faces.store.pictures.listing import Position
from rest.problems import ProblemError

INVALID = "the cursor is not one of this list: start without one"

CursorText = Annotated[str, Field(max_length=1000, description="`next` of the previous page; opaque")]


def encode(position: list[Any]) -> str:
    """Write a position as a cursor."""
    return base64.urlsafe_b64encode(to_json(position).encode()).decode().rstrip("=")


def decode(cursor: str, *kinds: type) -> list[Any]:
    """Read a cursor that `encode` wrote: a list of values of these types.

    Raises:
        ProblemError: `bad_cursor`.
    """
    try:
        values = from_json(base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
    except (ValueError, binascii.Error, RecursionError):
        values = None
    fits = isinstance(values, list) and len(values) == len(kinds)
    if not fits or not all(type(value) is kind for value, kind in zip(values, kinds, strict=True)):
        raise ProblemError("bad_cursor", INVALID)
    found: list[Any] = values
    return found


def after(position: Position | None) -> str | None:
    """The cursor for a place in the list of pictures; None at its end."""
    return None if position is None else encode([position.accepted, position.digest.hex()])


def stream_position(cursor: str) -> tuple[int, int]:
    """The place in a stream that a cursor stands for: milliseconds and a number.

    Raises:
        ProblemError: `bad_cursor`.
    """
    milliseconds, number = decode(cursor, int, int)
    if not 0 <= milliseconds < 1 << 64 or not 0 <= number < 1 << 64:
        raise ProblemError("bad_cursor", INVALID)
    return milliseconds, number


def position(cursor: str | None) -> Position | None:
    """The place in the list of pictures that a cursor stands for; None: its beginning.

    Raises:
        ProblemError: `bad_cursor`.
    """
    if cursor is None:
        return None
    accepted, digest = decode(cursor, float, str)
    if not is_picture_id(digest):
        raise ProblemError("bad_cursor", INVALID)
    return Position(accepted, bytes.fromhex(digest))
