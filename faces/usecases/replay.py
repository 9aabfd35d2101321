"""Process a failed picture once more, from its original in the image store."""

from __future__ import annotations

from faces.errors import PictureError
from faces.image_store import ImageStore
from faces.message import Message
from faces.store import accept
from faces.store.client import RedisClient
from faces.store.status import Size, Status
from faces.usecases.ingest import Publish, accept_and_publish


def replay(
    redis: RedisClient, publish: Publish, image_store: ImageStore, status: Status, *, request_id: str
) -> None:
    """Accept a failed picture again, under the names that it was sent with.

    Raises:
        PictureError: `missing`: the image store does not have the original.
        Transient: Redis, RabbitMQ or the image store is unavailable; the picture is still failed.
    """
    if not image_store.has(status.hash):
        raise PictureError(
            "the image store does not have the original: send the picture again", code="missing"
        )
    first, *others = status.names or [status.hash]
    size = Size(**status.size) if status.size else None
    accept_and_publish(redis, publish, None, Message(status.hash, first, None, request_id), size=size)
    for name in others:
        accept.accept(redis, status.hash, name)
