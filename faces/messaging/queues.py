"""How much waits in each queue, read from RabbitMQ without changing anything."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import Any

from faces.config import Settings
from faces.errors import BrokerError
from faces.messaging.amqp import connect, translated
from faces.messaging.topology import DEAD, PICTURES_QUEUE, VIDEOS, rungs

NOT_FOUND = 404  # AMQP's reply code


@dataclass(frozen=True, slots=True)
class Depth:
    """Messages ready in a queue, excluding those delivered to workers; None if the queue does not exist yet."""

    queue: str
    ready: int | None
    consumers: int = 0


def depths(settings: Settings) -> list[Depth]:
    """Return the depth of every queue.

    Raises:
        BrokerError: RabbitMQ is unavailable.
    """
    queues = (PICTURES_QUEUE, *rungs(), VIDEOS, DEAD)
    with closing(connect(settings)) as connection:
        return [_depth(connection, queue) for queue in queues]


def _depth(connection: Any, queue: str) -> Depth:
    try:
        with translated():
            channel = connection.channel()  # one per queue: asking for a missing queue closes the channel
            declared = channel.queue_declare(queue, passive=True).method
            channel.close()
    except BrokerError as error:
        if getattr(error.__cause__, "reply_code", None) == NOT_FOUND:
            return Depth(queue, None)
        raise
    return Depth(queue, declared.message_count, declared.consumer_count)
