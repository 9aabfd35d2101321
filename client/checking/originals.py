"""Originals in the image store that belong to no picture, and what is left of an erased one outside Redis."""

from __future__ import annotations

import time
from collections.abc import Iterator

from faces.config import Settings
from faces.image_store.pictures import ImageStore
from faces.messaging.queue_scan import scan
from faces.store.client import RedisClient
from faces.store.pictures import queries

YOUNG = 60.0  # seconds; one that was stored since may have its record erased or withdrawn at this moment


def orphans(redis: RedisClient, image_store: ImageStore) -> Iterator[str]:
    """Yield the hashes of originals without a status document.

    A server that is killed between storing and withdrawing a picture leaves one behind.

    Raises:
        Transient: Redis or the image store is unavailable.
    """
    for stored in image_store.pictures():
        for picture_id, status in zip(stored, queries.statuses(redis, stored), strict=True):
            if status is None and (image_store.age(picture_id, time.time()) or 0) >= YOUNG:
                yield picture_id


def messages_of(settings: Settings, picture_id: str) -> Iterator[str]:
    """Yield the queue of each dead letter of a picture and of each of its messages on the retry ladder.

    Raises:
        BrokerError: RabbitMQ is unavailable.
    """
    for found in scan(settings):
        if found.headers.get("hash") == picture_id:
            yield f"queue {found.queue}"
