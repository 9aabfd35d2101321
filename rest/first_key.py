"""The first API key, made when a server that needs keys starts and there is none."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from typing import TextIO

from faces import access
from faces.config import Settings
from faces.errors import StoreError
from faces.store import api_keys
from faces.store.link import Link

AGAIN = 2.0  # seconds between tries while Redis is away


def start(settings: Settings, out: TextIO) -> None:
    """Make the first key beside the server's work: Redis may come up later than the server."""
    threading.Thread(target=_until_done, args=(settings, out), name="first key", daemon=True).start()


def make(link: Link, out: TextIO) -> None:
    """Make a key with every scope if there is no key, and show it this once.

    Raises:
        StoreError: Redis is away.
    """
    key, token = access.create("first", access.SCOPES)
    if api_keys.add_first(link, key):
        out.write(f"Facefleet's first API key, with every scope, shown this once: {token}\n")
        out.flush()


def _until_done(settings: Settings, out: TextIO) -> None:
    with closing(Link(settings)) as link:
        while True:
            try:
                return make(link, out)
            except StoreError:
                time.sleep(AGAIN)
