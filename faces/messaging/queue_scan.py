"""Looking through the messages of a queue without consuming it: dead letters, and what waits to be retried."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from faces.config import Settings
from faces.messaging.amqp import connect, limited, translated
from faces.messaging.topology import DEAD, RETRY_DELAYS, declare, retry_queue

ASIDE = (DEAD, *map(retry_queue, RETRY_DELAYS))
"""Where messages stay for long: whoever erases or looks for a picture looks here too."""

ERASE_TIMEOUT = 20.0  # seconds; whoever erases waits for it


@dataclass(frozen=True)
class Found:
    """A message in a queue. It stays there unless it is removed."""

    queue: str
    headers: Mapping[str, Any]
    body: bytes
    _channel: Any
    _tag: int

    def remove(self) -> None:
        """Remove the message from its queue."""
        self._channel.basic_ack(self._tag)


def scan(settings: Settings, queues: Iterable[str] = ASIDE, timeout: float = math.inf) -> Iterator[Found]:
    """Yield each message that queues hold now, once. What is not removed goes back when the scan ends.

    A message that another process holds at this moment is not seen.

    Raises:
        BrokerError: RabbitMQ is unavailable, or the scan takes longer than `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    with closing(connect(settings)) as connection, translated(), limited(connection, deadline):
        channel = connection.channel()
        declare(channel, settings)
        for queue in queues:
            count = channel.queue_declare(queue, passive=True).method.message_count
            for _ in range(count):  # no more: one that was added back meanwhile would be seen again
                method, properties, body = channel.basic_get(queue)
                if method is None:
                    break
                yield Found(queue, properties.headers or {}, body, channel, method.delivery_tag)


def remove_messages_of(settings: Settings, picture_ids: Collection[str]) -> int:
    """Remove the dead letters of pictures and their messages on the retry ladder; return how many there were.

    Raises:
        BrokerError: RabbitMQ is unavailable.
    """
    removed = 0
    for found in scan(settings, timeout=ERASE_TIMEOUT):
        if found.headers.get("hash") in picture_ids:
            found.remove()
            removed += 1
    return removed
