"""A log line as a person reads it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from client.terminal import BOLD, CYAN, DIM, GREEN, RED, YELLOW, paint, printable
from faces.documents import from_json, to_json

COLOURS = {"done": GREEN, "failed": RED, "dead letter": RED, "retried": YELLOW}


def readable(key: str, body: bytes) -> str:
    """One line of text; a line that is not one of the fleet's is shown as it is, without control characters."""
    text = body.decode(errors="replace")
    try:
        document = from_json(text)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or not isinstance(document.get("event"), str):
        return f"{paint(printable(key), DIM)}  {printable(text)}"
    return _ours(key, document)


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
    """Time of day here, to the millisecond; what is no time is shown as it is."""
    try:
        return datetime.fromisoformat(moment).astimezone().strftime("%H:%M:%S.%f")[:-3]
    except (TypeError, ValueError, OverflowError):
        return printable(str(moment or "--:--:--.---"))[:40]
