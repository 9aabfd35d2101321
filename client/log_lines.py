"""Log lines in a form for people."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from client.terminal import BOLD, CYAN, DIM, GREEN, RED, YELLOW, paint, printable
from faces.documents import from_json, to_json

FAILURES = frozenset({"failed", "dead letter", "retried"})
COLOURS = {"done": GREEN, "failed": RED, "dead letter": RED, "retried": YELLOW}


def readable(key: str, body: bytes) -> str:
    """Return a log line as text; a foreign line is shown unchanged, without control characters."""
    document = document_of(body)
    if document is None:
        return f"{paint(printable(key), DIM)}  {printable(body.decode(errors='replace'))}"
    return _ours(key, document)


def document_of(body: bytes) -> dict[str, Any] | None:
    """Return the fields of a line; None for a foreign one."""
    try:
        document = from_json(body.decode(errors="replace"))
    except (ValueError, RecursionError):
        return None
    ours = isinstance(document, dict) and isinstance(document.get("event"), str)
    return document if ours else None


def is_failure(document: dict[str, Any]) -> bool:
    """Tell whether a picture, an attempt or a request failed."""
    status = document.get("status")
    return document["event"] in FAILURES or (isinstance(status, int) and status >= 400)


def is_about(document: dict[str, Any], picture: str) -> bool:
    """Tell whether a line is about the picture whose hash begins with `picture`."""
    return str(document.get("hash", "")).startswith(picture)


def _ours(key: str, document: dict[str, Any]) -> str:
    event, when = document.pop("event"), _clock(document.pop("time", None))
    fields = "  ".join(f"{paint(printable(k) + '=', DIM)}{printable(_value(v))}" for k, v in document.items())
    return "  ".join(
        [
            paint(when, DIM),
            paint(printable(key), CYAN),
            paint(printable(event), COLOURS.get(event, BOLD)),
            fields,
        ]
    ).rstrip()


def _value(value: Any) -> str:
    return value if isinstance(value, str) else to_json(value)


def _clock(moment: Any) -> str:
    """Local time of day, to the millisecond; anything else is shown unchanged."""
    try:
        return datetime.fromisoformat(moment).astimezone().strftime("%H:%M:%S.%f")[:-3]
    except (TypeError, ValueError, OverflowError):
        return printable(str(moment or "--:--:--.---"))[:40]
