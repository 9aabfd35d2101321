"""Keeps the odds of matches up to date as the collection grows."""

from __future__ import annotations

import logging
import threading

from faces.errors import StoreError
from faces.store.client import RedisClient
from faces.store.collection import odds

INTERVAL = 10.0  # seconds between two looks at the collection's size

log = logging.getLogger(__name__)


class OddsKeeper:
    """A thread that measures the odds anew when the collection has grown by a tenth; one worker at a time does."""

    def __init__(self, redis: RedisClient, stopping: threading.Event) -> None:
        self._redis = redis
        self._stopping = stopping

    def start(self) -> None:
        """Start the thread; it ends with the worker."""
        threading.Thread(target=self._run, name="odds", daemon=True).start()

    def _run(self) -> None:
        while not self._stopping.wait(INTERVAL):
            try:
                if odds.refresh(self._redis):
                    log.info("the odds of a match were measured again")
            except StoreError as error:
                log.debug("the odds of a match could not be measured, trying later: %s", error)
