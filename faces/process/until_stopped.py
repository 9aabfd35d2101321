"""What a process does around its work: it reads the settings, tells them in its log, and listens for signals."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from faces.config import Settings
from faces.errors import SettingError
from faces.process import process_log


def when_stopped(handle: Callable[..., Any] | signal.Handlers) -> None:
    """Handle SIGTERM and SIGINT, whatever was done with them before; SIGINT even if the shell ignores it."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, handle)


def until_stopped(name: str, run: Callable[[Settings, threading.Event], None]) -> int:
    """Run with the settings of the environment until SIGTERM or SIGINT, which set the event.

    Returns:
        The exit code: 0 after a stop, 2 if a setting cannot be used.
    """
    stopping = threading.Event()
    when_stopped(lambda *_: stopping.set())
    try:
        settings = Settings.read()
        process_log.install(settings)
        process_log.log_settings(settings)
        run(settings, stopping)
    except SettingError as error:
        sys.stderr.write(f"{name}: {error}\n")
        return 2
    return 0
