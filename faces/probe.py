"""`python -m faces.probe healthz|readyz`: asks the server or worker on this machine, for containers.

Exits with 0 if it answers 200, 1 if not, 2 without `METRICS_PORT`.
"""

from __future__ import annotations

import sys
from contextlib import closing
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException

from faces.config import Settings
from faces.errors import SettingError

PROBES = ("healthz", "readyz")
TIMEOUT = 5.0  # seconds


def holds(port: int, probe: str) -> bool:
    """Tell whether the process behind a port of this machine answers a probe with 200."""
    try:
        with closing(HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)) as connection:
            connection.request("GET", f"/{probe}")
            return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False


def main(arguments: list[str]) -> int:
    """Ask one probe."""
    if len(arguments) != 1 or arguments[0] not in PROBES:
        return _refuse(f"name one of: {', '.join(PROBES)}")
    try:
        port = Settings.read().metrics_port
    except SettingError as error:
        return _refuse(str(error))
    if not port:
        return _refuse("METRICS_PORT is not set")
    return 0 if holds(port, arguments[0]) else 1


def _refuse(reason: str) -> int:
    sys.stderr.write(f"faces.probe: {reason}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
