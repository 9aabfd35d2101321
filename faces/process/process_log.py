"""A process's own log on standard error: JSON, one object a line, or text where a person watches (`LOG_FORMAT`)."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime
from typing import Any, TextIO

from faces.config import Settings
from faces.documents import to_json


def install(settings: Settings, stream: TextIO | None = None) -> None:
    """Have everything that this process logs written to a stream, by default standard error."""
    stream = stream or sys.stderr
    person = settings.log_format == "text" or (settings.log_format == "auto" and stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Text() if person else Json())
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # its errors reach the log as ours


def log_settings(settings: Settings) -> None:
    """Log the settings that this process runs with, secrets masked."""
    logging.getLogger(__name__).info("settings", extra=about(**settings.shown()))


def about(**fields: Any) -> dict[str, Any]:
    """What a line is about, for the `extra` of a logging call: `log.info("done", extra=about(hash=...))`."""
    return {"about": fields}


class Json(logging.Formatter):
    """`time`, `level`, `logger`, `event`, what the line is about, and `error`: the traceback, if there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line of JSON."""
        line = {
            "time": _moment(record).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
            **_about(record),
        }
        return to_json(line | ({"error": self.formatException(record.exc_info)} if record.exc_info else {}))


class Text(logging.Formatter):
    """Time of day, level, event and fields; nothing of a stranger's can break the line or move the cursor."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a line, and the traceback below it if there is one."""
        clock = _moment(record).astimezone().strftime("%H:%M:%S.%f")[:-3]
        event = json.dumps(record.getMessage())[1:-1].replace('\\"', '"')
        fields = "".join(f"  {key}={to_json(value)}" for key, value in _about(record).items())
        traceback = f"\n{self.formatException(record.exc_info)}" if record.exc_info else ""
        return f"{clock} {record.levelname:7} {event}{fields}{traceback}"


def _about(record: logging.LogRecord) -> dict[str, Any]:
    fields: dict[str, Any] = getattr(record, "about", {})
    return fields


def _moment(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)
