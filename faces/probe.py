"""`python -m faces.probe healthz|readyz`: asks the process in this container how it is; exits with 0 or 1."""

from __future__ import annotations

import sys
from http.client import HTTPConnection, HTTPException

from faces.config import Settings

TIMEOUT = 4.0  # seconds


def answers(port: int, path: str) -> bool:
    """Tell whether a path on this machine answers with 200."""
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(0 if answers(Settings.read().metrics_port, f"/{sys.argv[1]}") else 1)
