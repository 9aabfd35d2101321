"""The first API key, made when a server that needs keys starts and there is none."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from typing import TextIO

from faces import api_key
from faces.config import Settings
from faces.errors import StoreError
from faces.store.access import api_keys
from faces.store.client import RedisClient

AGAIN = 2.0  # seconds between tries while Redis is unavailable


def start(settings: Settings, out: TextIO) -> None:
    """Make the first key beside the server's work: Redis may come up later than the server."""
    threading.Thread(target=_until_done, args=(settings, out), name="first key", daemon=True).start()


def make(redis: RedisClient, out: TextIO) -> None:
    """Make a key with every scope if there is no key, and show it this once.

    Raises:
        StoreError: Redis is unavailable.
    """
    key, token = api_key.create("first", api_key.SCOPES)
    if api_keys.add_first(redis, key):
        out.write(f"Facefleet's first API key, with every scope, shown this once: {token}\n")
        out.flush()


def _until_done(settings: Settings, out: TextIO) -> None:
    with closing(RedisClient(settings)) as redis:
        while True:
            try:
                return make(redis, out)
            except StoreError:
                time.sleep(AGAIN)
