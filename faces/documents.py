"""Typed values -> JSON, and JSON -> plain values. Nothing is ever rebuilt into objects from what is read."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields
from functools import lru_cache
from typing import Any, TypeVar

import jsonpickle

T = TypeVar("T")

log = logging.getLogger(__name__)


def to_json(value: Any) -> str:
    """Write a value, dataclasses included, as plain JSON on one line."""
    return _ENCODER.encode(value)


def from_json(text: str | bytes) -> Any:
    """Read JSON into dicts, lists, text and numbers; a mark like `py/object` stays the plain key that it is.

    Raises:
        ValueError: the text is not JSON.
    """
    return json.loads(text)


def fields_of(kind: Any, text: str | bytes) -> dict[str, Any]:
    """Read what a document has for the fields of a dataclass; what a later release has added is left out.

    Raises:
        ValueError: the text is not a JSON object.
    """
    values = from_json(text)
    if not isinstance(values, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 -- of the same kind as text that is no JSON
    return {field.name: values[field.name] for field in fields(kind) if field.name in values}


def readable(read: Callable[[bytes], T], documents: Iterable[bytes]) -> Iterator[T]:
    """Yield what can be read of several documents; one that is damaged is left out, and does nobody else harm."""
    for document in documents:
        try:
            found = read(document)
        except (ValueError, TypeError, KeyError) as error:
            _tell_once(document, f"{type(error).__name__}: {error}")
        else:
            yield found


@lru_cache(64)
def _tell_once(document: bytes, fault: str) -> None:
    log.warning("skipped an unreadable document in Redis (%s): %.200r", fault, document)


def _plain(value: Any) -> Any:
    """A value that JSON does not know, as plain ones. Only these pass jsonpickle, which looks at each in Python."""
    return jsonpickle.Pickler(unpicklable=False, keys=True, make_refs=False).flatten(value)


_ENCODER = json.JSONEncoder(default=_plain)
