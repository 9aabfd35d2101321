"""What a server makes complete in Redis, beside its work, for data of an earlier release."""

from __future__ import annotations

import logging
import threading
import time

from faces.errors import StoreError
from faces.store.client import RedisClient
from faces.store.pictures import listing

AGAIN = 2.0  # seconds between tries while Redis is unavailable

log = logging.getLogger(__name__)


def start(redis: RedisClient) -> None:
    """List the pictures that are not listed yet; Redis may come up later than the server."""
    threading.Thread(target=_until_done, args=(redis,), name="upgrade", daemon=True).start()


def _until_done(redis: RedisClient) -> None:
    while True:
        try:
            return listing.complete(redis)
        except StoreError as error:
            log.debug("earlier pictures cannot be listed yet: %s", error)
            time.sleep(AGAIN)
