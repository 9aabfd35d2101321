"""`python -m rpc`: the gRPC server."""

from __future__ import annotations

import asyncio
import logging
import sys

from faces.config import Settings
from faces.errors import SettingError
from faces.process import process_log
from rest.auth import bootstrap_key
from rest.auth.authenticator import keys_needed
from rest.auth.origins import is_loopback
from rest.file_limit import raise_file_limit
from rpc.app import serve


def main() -> int:
    """Serve until SIGTERM.

    Returns:
        2 where a setting forbids a start.
    """
    try:
        settings = Settings.read()
        process_log.install(settings)
        process_log.log_settings(settings)
        if settings.api_keys == "off" and not is_loopback(settings.rest_host):
            logging.warning(
                "API_KEYS is off and %s is not a loopback address: anyone may send requests",
                settings.rest_host,
            )
        if keys_needed(settings):
            bootstrap_key.start(settings, sys.stdout)
        raise_file_limit()
        asyncio.run(serve(settings))
    except SettingError as error:
        sys.stderr.write(f"rpc: {error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
