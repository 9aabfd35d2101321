"""Typed values -> JSON, and JSON -> plain values. Nothing is ever rebuilt into objects from what is read."""

from __future__ import annotations

import json
from typing import Any

import jsonpickle


def to_json(value: Any) -> str:
    """Write a value, dataclasses included, as plain JSON on one line."""
    return _ENCODER.encode(value)


def from_json(text: str | bytes) -> Any:
    """Read JSON into dicts, lists, text and numbers; a mark like `py/object` stays the plain key that it is.

    Raises:
        ValueError: the text is not JSON.
    """
    return json.loads(text)


def _plain(value: Any) -> Any:
    """A value that JSON does not know, as plain ones. Only these pass jsonpickle, which looks at each in Python."""
    return jsonpickle.Pickler(unpicklable=False, keys=True, make_refs=False).flatten(value)


_ENCODER = json.JSONEncoder(default=_plain)
