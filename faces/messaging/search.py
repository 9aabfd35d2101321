"""The wire form of a search: a question to the workers, and the answer of the one that took it.

The body of a question is a picture's bytes, or one encoding of 512 bytes; its AMQP headers are

| header         | value |
|----------------|-------|
| `version`      | 1 |
| `id`           | comes back with the answer |
| `encoding`     | true: the body is an encoding |
| `limit`        | most matches for each face |
| `max_distance` | largest distance, as text; the workers' tolerance where it is smaller |

The body of an answer is a JSON document: `model`, `tolerance` and `faces`, or `error` with `code` and `reason`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from faces.errors import MessageError
from faces.store.keys import ENCODING_BYTES

VERSION = 1
MOST_MATCHES = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to search for: a picture, or with `encoding` a face."""

    data: bytes
    encoding: bool = False
    limit: int = 10
    max_distance: float = 2.0

    def headers(self) -> dict[str, Any]:
        """The headers that go with `data`."""
        return {
            "version": VERSION,
            "encoding": self.encoding,
            "limit": self.limit,
            "max_distance": str(self.max_distance),
        }


def decode(headers: Mapping[str, Any] | None, body: bytes) -> Question:
    """Read a question.

    Raises:
        MessageError: it is not one of ours, or of another version.
    """
    headers = headers or {}
    try:
        question = Question(
            data=body,
            encoding=headers["encoding"] is True,
            limit=min(int(headers["limit"]), MOST_MATCHES),
            max_distance=float(headers["max_distance"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise MessageError(f"search refused: {error!r} in its headers") from error
    if headers.get("version") != VERSION or (question.encoding and len(body) != ENCODING_BYTES):
        raise MessageError("search refused: it is of another version, or damaged")
    return question
