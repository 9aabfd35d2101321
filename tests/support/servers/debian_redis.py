"""Debian's own Redis, for what the embedded server cannot do: TLS, Sentinel, replicas of another release."""

from __future__ import annotations

import shutil


def debian_server() -> str | None:
    """Path of Debian's own redis-server; None where it is not installed."""
    return shutil.which("redis-server")
