"""One setting: how it is declared, read from the environment, and shown."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import Field, field
from typing import Any

from faces.errors import SettingError

_CREDENTIALS = re.compile(r"://[^/\s]*@")  # in a URL


def setting(parse: Callable[[str], Any], default: Any, about: str, *, secret: bool = False) -> Any:
    """Describe a field of `Settings`; a secret never shows in a repr or a table."""
    return field(default=default, repr=not secret, metadata={"parse": parse, "help": about, "secret": secret})


def variable(f: Field[Any]) -> str:
    """The environment variable of a setting."""
    return f.name.upper()


def parsed(f: Field[Any], value: str) -> Any:
    """Read a value of a setting.

    Raises:
        SettingError: it cannot be used; the message does not tell a secret.
    """
    try:
        return f.metadata["parse"](value)
    except ValueError as error:
        told = "set to a secret" if f.metadata["secret"] else repr(value)
        raise SettingError(f"{variable(f)} is {told}: {error}") from error


def shown_default(f: Field[Any]) -> str:
    """The default of a setting as text for a table."""
    if f.metadata["secret"]:
        return "set" if f.default else ""
    return _written(f.default)


def masked(f: Field[Any], value: Any) -> str:
    """A value of a setting as text for a log, with secrets masked."""
    if f.metadata["secret"]:
        return "***" if value else ""
    return _CREDENTIALS.sub("://***@", _written(value))


def _written(value: Any) -> str:
    """Write a value as the environment would hold it."""
    if isinstance(value, tuple):
        return ",".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)
