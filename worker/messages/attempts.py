"""How often a picture is begun again after a worker died with it, so that none is for ever."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable

from faces.errors import PoisonError, Transient
from faces.process.retrier import Retrier
from faces.store.client import RedisClient
from faces.store.pictures.attempts import begin, excuse, forget
from worker.messages.delivery import PendingMessage
from worker.messages.retry import MAX_STARTS

log = logging.getLogger(__name__)


class Attempts:
    """Counts in Redis the starts of redelivered pictures, and knows the pictures this worker holds.

    A redelivery means that a worker died with the picture, unless that worker says otherwise (`excuse`).
    """

    def __init__(self, redis: RedisClient, retrier: Retrier) -> None:
        self._redis = redis
        self._retrier = retrier
        self._held: set[str] = set()
        self._lock = threading.Lock()

    def check(self, pending: PendingMessage) -> None:
        """Count a redelivered picture's start.

        Raises:
            PoisonError: it has been started too often.
            Transient: Redis is unavailable, and the worker is stopping.
        """
        if not pending.delivery.redelivered:
            return
        starts = self._retrier.until_done(lambda: begin(self._redis, pending.picture_id))
        if starts > MAX_STARTS:
            raise PoisonError(f"the worker died while processing it, {MAX_STARTS} times in a row")

    def hold(self, picture_ids: Iterable[str]) -> None:
        """Note pictures that this worker is now responsible for."""
        with self._lock:
            self._held.update(picture_ids)

    def release(self, picture_id: str) -> None:
        """Note that a picture is acknowledged."""
        with self._lock:
            self._held.discard(picture_id)

    def forget(self, pending: PendingMessage) -> None:
        """Drop the count of a picture that turns out to be finished or gone."""
        if pending.delivery.redelivered:
            self._retrier.until_done(lambda: forget(self._redis, pending.picture_id))

    def excuse(self) -> None:
        """Take back one start of each picture held: it goes to another worker through no fault of its own.

        The connection to RabbitMQ was lost, or this worker has to restart. Any thread may call this.
        """
        with self._lock:
            held, self._held = self._held, set()  # once: after the next loss they are another worker's
        try:
            for picture_id in held:
                excuse(self._redis, picture_id)
        except Transient as error:
            log.warning("could not reset attempt counts: %s", error)
