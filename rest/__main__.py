"""`python -m rest`: the HTTP server, Flask under gunicorn."""

from __future__ import annotations

import logging
import sys
from typing import Any

import gunicorn.http.wsgi
from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from faces.config import Settings
from faces.errors import SettingError
from faces.formats.limits import Limits
from faces.process import process_log
from rest import upgrade
from rest.app import build
from rest.auth import bootstrap_key
from rest.auth.authenticator import keys_needed
from rest.auth.origins import is_loopback
from rest.bounds import Bounds
from rest.file_limit import raise_file_limit
from rest.parts import EXTENSION
from rest.server.gunicorn_worker import GatheringWorker

MAX_SILENCE = 60  # seconds after which a serving process that does not run its loop is replaced


class ServerLog(Logger):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn's lines go the way of all others."""

    def setup(self, cfg: Any) -> None:
        """Set up as gunicorn does, which would write by itself."""
        super().setup(cfg)
        self.error_log.propagate = True


class Server(BaseApplication):  # type: ignore[misc]  # gunicorn has no types
    """gunicorn, set up from our settings. The application is built in the worker process, after its fork."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        super().__init__()

    def load_config(self) -> None:
        """Give gunicorn its settings."""
        host = self.settings.rest_host
        settings = {
            "bind": f"{f'[{host}]' if ':' in host else host}:{self.settings.rest_port}",
            "worker_class": GatheringWorker,
            "control_socket_disable": True,
            "threads": Bounds.of(self.settings).threads,
            "timeout": MAX_SILENCE,
            "graceful_timeout": 30,
            "keepalive": 5,
            "limit_request_line": 8190,
            "limit_request_fields": 50,
            "limit_request_field_size": 8190,
            "logger_class": ServerLog,
            "errorlog": None,
            "loglevel": self.settings.log_level,
            "worker_tmp_dir": "/dev/shm",  # noqa: S108 -- heartbeats of workers, no data; a disk can stall them
        }
        for key, value in settings.items():
            self.cfg.set(key, value)

    def load(self) -> Flask:
        """Build the application, and see to it that there is a key where one is needed."""
        if keys_needed(self.settings):
            bootstrap_key.start(self.settings, sys.stdout)
        app = build(self.settings)
        upgrade.start(app.extensions[EXTENSION].redis)
        return app


def main() -> int:
    """Serve until SIGTERM; requests in progress are finished.

    Returns:
        2 where a setting forbids a start.
    """
    try:
        settings = Settings.read()
        Limits.of(settings)  # gunicorn would only say that its worker did not boot
    except SettingError as error:
        sys.stderr.write(f"rest: {error}\n")
        return 2
    process_log.install(settings)
    process_log.log_settings(settings)
    if settings.api_keys == "off" and not is_loopback(settings.rest_host):
        logging.warning(
            "API_KEYS is off and %s is not a loopback address: anyone may send requests", settings.rest_host
        )
    raise_file_limit()
    gunicorn.http.wsgi.SERVER = "facefleet"  # what the header Server says
    server: Any = Server(settings)
    server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
