"""Removing the original of a picture that nobody knows."""

from __future__ import annotations

from faces.image_store.pictures import ImageStore
from faces.store.client import RedisClient
from faces.store.pictures import queries
from faces.store.pictures.removal import removing


def remove_unknown(redis: RedisClient, image_store: ImageStore, picture_id: str) -> bool:
    """Remove the original and crops of a picture without a record; False if it has one, or there was nothing.

    Raises:
        Transient: Redis or the image store is unavailable.
    """
    if _known(redis, picture_id):
        return False
    with removing(redis, picture_id):
        return not _known(redis, picture_id) and any(image_store.delete(picture_id))


def _known(redis: RedisClient, picture_id: str) -> bool:
    return queries.statuses(redis, [picture_id]) != [None]
