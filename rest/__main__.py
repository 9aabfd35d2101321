"""`python -m rest`: the HTTP server, Flask under gunicorn."""

from __future__ import annotations

import logging
import sys
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from faces.config import Settings
from faces.errors import SettingError
from rest.app import build
from rest.threads import JsonThreads


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn, set up from our settings. The application is built in the worker process, after its fork."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Give gunicorn its settings."""
        settings = {
            "bind": f"{self._settings.rest_host}:{self._settings.rest_port}",
            "worker_class": JsonThreads,
            "control_socket_disable": True,
            "threads": self._settings.rest_threads,
            "timeout": 60,
            "graceful_timeout": 30,
            "keepalive": 5,
            "limit_request_line": 8190,
            "loglevel": self._settings.log_level,
            "worker_tmp_dir": "/dev/shm",  # noqa: S108 -- heartbeats of workers, no data; a disk can stall them
        }
        for key, value in settings.items():
            self.cfg.set(key, value)

    def load(self) -> Flask:
        """Build the application."""
        return build(self._settings)


def main() -> int:
    """Serve until SIGTERM; requests in hand are finished.

    Returns:
        2 where a setting forbids a start.
    """
    try:
        settings = Settings.read()
    except SettingError as error:
        sys.stderr.write(f"rest: {error}\n")
        return 2
    logging.basicConfig(level=settings.log_level.upper(), format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # its errors reach the log as ours
    server: Any = Server(settings)
    server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
