"""Process a picture once more: a failed one from its original, or one whose message is a dead letter.

Neither brings back what was erased, nor takes a name from another picture.
"""

from __future__ import annotations

from faces.errors import MessageError, PictureError
from faces.image_store.pictures import ImageStore
from faces.messaging.message import Message
from faces.store.client import RedisClient
from faces.store.pictures import accept, queries
from faces.store.pictures.status import Size, Status
from faces.usecases.publication import Publish, accept_and_publish


def replay_picture(
    redis: RedisClient, publish: Publish, image_store: ImageStore, status: Status, *, request_id: str
) -> None:
    """Accept a failed picture again, under the names that it was sent with.

    Raises:
        PictureError: `missing`: the image store does not have the original; `not_found`: it was erased meanwhile.
        Transient: Redis, RabbitMQ or the image store is unavailable; the picture is still failed.
    """
    if not image_store.has(status.hash):
        raise PictureError(
            "the image store does not have the original: send the picture again", code="missing"
        )
    first, *others = status.names or [status.hash]
    message = Message(status.hash, first, None, request_id)
    size = Size(**status.size) if status.size else None
    accept_and_publish(redis, publish, None, message, size=size, replayed=True)
    for name in others:
        accept.accept(redis, status.hash, name, replayed=True)


def replay_message(redis: RedisClient, publish: Publish, message: Message, *, as_new: bool = False) -> bool:
    """Have a message processed once more: False if its picture is done already.

    A picture that is pending has its message published again; one that has failed is accepted again, in its old
    order: its name moves to it only if no other picture has it now.

    Args:
        redis: the Redis client.
        publish: publishes a message.
        message: the message.
        as_new: also accept a picture that Redis does not know.

    Raises:
        MessageError: the picture was erased or never accepted, and is not accepted as new.
        PictureError: `not_found`: it was erased meanwhile.
        Transient: Redis or RabbitMQ is unavailable; nothing was changed.
    """
    status = queries.status_with_names(redis, message.picture_id)
    if status is None and not as_new:
        raise MessageError("its picture was erased or never accepted: --as-new accepts it as a new one")
    if status is not None and status.state == "pending" and message.name in status.names:
        publish(message)
        return True
    return accept_and_publish(redis, publish, None, message, replayed=status is not None)
