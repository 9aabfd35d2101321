"""Looking through the messages of a queue without consuming it: dead letters, and what waits to be retried."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from faces.config import Settings
from faces.messaging.amqp import connect, limited, translated
from faces.messaging.topology import DEAD, declare, lock_scans, rungs

ERASE_TIMEOUT = 20.0  # seconds; whoever erases waits for it
TURN = 0.02  # seconds between looks at whether another scan has ended
RETURN = 1.0  # seconds for messages to be back in their queue; those of the retry ladder may be due meanwhile


@dataclass(frozen=True)
class Found:
    """A message in a queue. It stays there unless it is removed."""

    queue: str
    headers: Mapping[str, Any]
    body: bytes
    _held: _Held
    _tag: int

    def remove(self) -> None:
        """Remove the message from its queue."""
        self._held.remove(self._tag)


def scan(
    settings: Settings, queues: Iterable[str] | None = None, timeout: float = math.inf
) -> Iterator[Found]:
    """Yield each message that queues hold now, once. What is not removed goes back at the end of its queue.

    Without queues it looks where messages stay for long: among the dead letters and on the retry ladder.
    Scans take turns: what one of them holds, the others would not see.

    Raises:
        BrokerError: RabbitMQ is unavailable, or the scan takes longer than `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    with closing(connect(settings)) as connection, translated(), limited(connection, deadline):
        channel = connection.channel()
        declare(channel, settings)
        while not lock_scans(connection):
            connection.sleep(TURN)
        for queue in (DEAD, *rungs()) if queues is None else queues:
            yield from _messages(channel, queue)


@dataclass(frozen=True)
class _Held:
    """The messages of a queue that a scan holds."""

    channel: Any
    queue: str
    tags: set[int] = field(default_factory=set)

    def remove(self, tag: int) -> None:
        self.channel.basic_ack(tag)
        self.tags.discard(tag)

    def give_back(self) -> None:
        """Put messages back, and wait until the queue has them: RabbitMQ does not tell when."""
        if not self.tags or not self.channel.is_open:
            return
        self.channel.basic_nack(max(self.tags), multiple=True, requeue=True)
        until = time.monotonic() + RETURN
        while _ready(self.channel, self.queue) < len(self.tags) and time.monotonic() < until:
            self.channel.connection.sleep(TURN)


def _messages(channel: Any, queue: str) -> Iterator[Found]:
    held = _Held(channel, queue)
    try:
        for _ in range(_ready(channel, queue)):  # no more: one that was added meanwhile is not awaited
            method, properties, body = channel.basic_get(queue)
            if method is None:
                break
            held.tags.add(method.delivery_tag)
            yield Found(queue, properties.headers or {}, body, held, method.delivery_tag)
    finally:
        held.give_back()


def _ready(channel: Any, queue: str) -> int:
    return int(channel.queue_declare(queue, passive=True).method.message_count)


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
