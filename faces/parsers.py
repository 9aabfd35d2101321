"""How values of settings and arguments are read. What cannot be used is a ValueError that says what to write."""

from __future__ import annotations

import math
import os
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

Number = TypeVar("Number", int, float)


def text(value: str) -> str:
    """Any text, without white space around it."""
    return value.strip()


def words(value: str) -> tuple[str, ...]:
    """Words separated by commas."""
    return tuple(word.strip() for word in value.split(",") if word.strip())


def yes_no(value: str) -> bool:
    """1, true, yes, on; or 0, false, no, off."""
    lowered = value.strip().lower()
    if lowered in {"1", "true", "yes", "on"}:
        return True
    if lowered in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("write yes or no")


def positive(value: str) -> int:
    """A whole number above zero."""
    return _number(value, int, lambda number: number > 0, "a whole number above 0")


def whole(value: str) -> int:
    """A whole number, zero or above."""
    return _number(value, int, lambda number: number >= 0, "a whole number, 0 or above")


def port(value: str) -> int:
    """A TCP port."""
    return _number(value, int, lambda number: 0 < number < 65536, "a port from 1 to 65535")


def seconds(value: str) -> float:
    """A time above zero."""
    return _number(value, float, lambda number: 0 < number < math.inf, "seconds above 0")


def rate(value: str) -> float:
    """How many of something in a second."""
    number = float(value)
    if not 0 < number <= 240:
        raise ValueError("write a number above 0, at most 240")
    return number


def distance(value: str) -> float:
    """A Euclidean distance between encodings."""
    return _number(value, float, lambda number: 0 < number < 2, "a distance above 0 and below 2")


def file(value: str) -> str:
    """Path of a file that can be read."""
    if not os.access(value, os.R_OK):
        raise ValueError("write the path of a file that this process can read")
    return value


def files(value: str) -> tuple[str, ...]:
    """Paths of files that can be read, separated by commas."""
    return tuple(file(path) for path in words(value))


def certificates(value: str) -> str:
    """Path of a file with certificates to trust, in PEM."""
    try:
        ssl.create_default_context(cafile=file(value))
    except OSError as error:
        raise ValueError("write the path of a file with certificates in PEM") from error
    return value


def model_or_file(*names: str) -> Callable[[str], str]:
    """One of a few names, or the path of a .dat file; `-mirror` may follow it."""

    def parse(value: str) -> str:
        value = value.strip()
        path = value.removesuffix("-mirror")
        if value not in names and not (path.endswith(".dat") and os.access(path, os.R_OK)):
            raise ValueError(f"write one of: {', '.join(names)}, or the path of a readable .dat file")
        return value

    return parse


def choice(*allowed: str) -> Callable[[str], str]:
    """One of a few words."""

    def parse(value: str) -> str:
        if value.strip() not in allowed:
            raise ValueError(f"write one of: {', '.join(allowed)}")
        return value.strip()

    return parse


def _number(
    value: str, kind: Callable[[str], Number], allowed: Callable[[Number], bool], what: str
) -> Number:
    with suppress(ValueError):
        if allowed(number := kind(value)):
            return number
    raise ValueError(f"write {what}")
