"""Originals without a picture, removed: a server that is killed while it erases or withdraws a picture leaves one.

Erasing and withdrawing write an event in their transaction, so whoever reads the events finds every such original.
"""

from __future__ import annotations

import logging
import threading
import time
from contextlib import suppress

from faces.errors import Transient
from faces.image_store.pictures import ImageStore
from faces.store.client import RedisClient
from faces.store.events import stream
from faces.store.events.stream import Event
from faces.store.keys import HOME, SWEPT
from faces.usecases.originals import remove_unknown

EVERY = 15.0  # seconds between looks
AGE = 30.0  # seconds that whoever erases or withdraws a picture has to remove its original

log = logging.getLogger(__name__)


class Sweeper:
    """Looks now and then, on a thread of its own. Every server may: removing twice does no harm."""

    def __init__(self, redis: RedisClient, image_store: ImageStore) -> None:
        self._redis = redis
        self._image_store = image_store
        self._closing = threading.Event()

    def start(self) -> Sweeper:
        """Start looking."""
        threading.Thread(target=self._run, name="sweeper", daemon=True).start()
        return self

    def close(self) -> None:
        """Stop looking."""
        self._closing.set()

    def sweep(self, before: float) -> list[str]:
        """Remove originals of pictures that were erased or withdrawn before a Unix time, and not sent again since.

        Returns:
            Their hashes.

        Raises:
            Transient: Redis or the image store is unavailable; the next time goes on from there.
        """
        (stored,) = self._redis.ask((HOME, "GET", SWEPT))
        position, _ = stream.resume(self._redis, stored.decode() if stored else stream.BEGINNING)
        removed = []
        while page := [event for event in stream.read(self._redis, position) if event.time < before]:
            gone = {event.hash for event in page if _leaves_no_picture(event)}
            removed += [p for p in gone if remove_unknown(self._redis, self._image_store, p)]
            position = page[-1].id
            self._redis.ask((HOME, "SET", SWEPT, position))
        return removed

    def _run(self) -> None:
        while not self._closing.wait(EVERY):
            with suppress(Transient):  # both are watched elsewhere, and nothing is lost
                for picture_id in self.sweep(time.time() - AGE):
                    log.warning("removed an original without a picture: %s", picture_id)


def _leaves_no_picture(event: Event) -> bool:
    return event.kind == "erased" or event.code == "not_queued"
