"""JSON documents between a process and its child, framed by `multiprocessing.connection`; nothing is unpickled."""

from __future__ import annotations

import json
from multiprocessing.connection import Connection
from typing import Any


def send(connection: Connection, document: dict[str, Any]) -> None:
    """Send a JSON document."""
    connection.send_bytes(json.dumps(document).encode())


def receive(connection: Connection, largest: int) -> dict[str, Any]:
    """Receive a JSON document of at most `largest` bytes.

    Raises:
        EOFError, OSError: the other end is gone, or the document is larger.
        ValueError: it is not a JSON object.
    """
    document = json.loads(connection.recv_bytes(largest))
    if not isinstance(document, dict):
        raise ValueError("not a JSON object")  # noqa: TRY004 -- one error for whatever is not understood
    return document
