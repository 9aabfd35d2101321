"""The wire message: one picture on its way from the server to a worker.

The body is the picture's raw bytes, or empty when the picture lies in the image store. All else is in the
AMQP headers, which hold plain text and numbers:

| header       | value |
|--------------|-------|
| `version`    | 1 |
| `hash`       | SHA-256 of the picture, 64 lower-case hex digits |
| `name`       | the name or URL it was sent with |
| `stored`     | true: the body is empty, the bytes are in the image store |
| `request_id` | of the HTTP call, carried into the log lines |
| `attempt`    | how many times it was put on the retry ladder |
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from faces.errors import MessageError, NewerMessageError
from faces.picture_id import is_picture_id, picture_id_of

VERSION = 1
LONGEST_NAME = 65_536  # bytes; far above any setting, small enough that a header cannot exhaust memory


@dataclass(frozen=True, slots=True)
class Message:
    """A picture to process; `data` is None when its bytes are in the image store."""

    picture_id: str
    name: str
    data: bytes | None
    request_id: str = ""
    attempt: int = 0

    def again(self) -> Message:
        """Return the same message, tried once more."""
        return replace(self, attempt=self.attempt + 1)


def encode(message: Message) -> tuple[dict[str, Any], bytes]:
    """Return the AMQP headers and the body of a message."""
    headers = {
        "version": VERSION,
        "hash": message.picture_id,
        "name": message.name,
        "stored": message.data is None,
        "request_id": message.request_id,
        "attempt": message.attempt,
    }
    return headers, message.data or b""


def decode(headers: Mapping[str, Any] | None, body: bytes) -> Message:
    """Decode a message. Nothing in it is trusted: the hash is computed again from the bytes.

    Raises:
        NewerMessageError: it is of a newer version, as while a new release is rolled out.
        MessageError: it is not one of ours, or damaged.
    """
    headers = headers or {}
    version = headers.get("version")
    if isinstance(version, int) and version > VERSION:
        attempt = headers.get("attempt", 0)
        raise NewerMessageError(
            f"message rejected: version {version} is newer than {VERSION}, which this worker reads",
            attempt if isinstance(attempt, int) and attempt >= 0 else 0,
        )
    _check(headers.get("version") == VERSION, f"version is {_shown(headers, 'version')}, not {VERSION}")
    picture_id = _text(headers, "hash")
    _check(is_picture_id(picture_id), "hash is not 64 lower-case hex digits")
    stored, attempt = headers.get("stored"), headers.get("attempt", 0)
    _check(isinstance(stored, bool), "stored is neither true nor false")
    if not isinstance(attempt, int) or attempt < 0:
        raise MessageError(f"message rejected: attempt is {_shown(headers, 'attempt')}, not a count")
    if stored:
        _check(not body, "it has a body although its picture is in the image store")
    else:
        _check(picture_id_of(body) == picture_id, "the body does not have the hash that it claims")
    request_id = _text({"request_id": "", **headers}, "request_id")
    return Message(picture_id, _text(headers, "name"), None if stored else body, request_id, attempt)


def _text(headers: Mapping[str, Any], key: str) -> str:
    value = headers.get(key)
    if not isinstance(value, str) or len(value) > LONGEST_NAME:
        raise MessageError(
            f"message rejected: {key} is {_shown(headers, key)}, not text of a sensible length"
        )
    return value


def _check(holds: bool, fault: str) -> None:
    if not holds:
        raise MessageError(f"message rejected: {fault}")


def _shown(headers: Mapping[str, Any], key: str) -> str:
    return repr(headers.get(key, "absent"))[:40]
