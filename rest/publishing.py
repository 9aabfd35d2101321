"""Publishing pictures from the threads of the server, each on a connection of its own that it keeps open."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from faces.config import Settings
from faces.errors import BrokerError
from faces.messaging.amqp import Publisher, is_full
from faces.messaging.message import Message, encode
from faces.messaging.topology import PICTURE_KEY, PICTURES_EXCHANGE, VIDEOS
from rest.bounds import Bounds
from rest.metrics.server import Metrics

REMEMBERED = 60.0  # seconds after which a refusal says nothing any more of how full the queue is
SLOW = 1.0  # seconds for RabbitMQ to confirm a picture, after which others do not line up behind it


class Unconfirmed:
    """Admits so many pictures to wait for RabbitMQ at once: where it falls silent, other requests need the threads.

    One more waits for its turn, unless the first of those that wait has waited for long.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._free = threading.Semaphore(most)
        self._lock = threading.Lock()
        self._begun: dict[object, float] = {}  # in the order in which they began

    @contextmanager
    def held(self) -> Iterator[None]:
        """Be one of them.

        Raises:
            BrokerError: there are as many as may be, and RabbitMQ is slow.
        """
        if not self._free.acquire(timeout=self._patience()):
            raise BrokerError(f"RabbitMQ is slow: {self._most} pictures wait for it, as many as may at once")
        mine = object()
        with self._lock:
            self._begun[mine] = time.monotonic()
        try:
            yield
        finally:
            with self._lock:
                del self._begun[mine]
            self._free.release()

    def _patience(self) -> float:
        """Seconds to wait for a turn."""
        now = time.monotonic()
        with self._lock:
            oldest = next(iter(self._begun.values()), now)
        return max(0.0, oldest + SLOW - now)


class PublisherPool:
    """One publisher a thread. Threads may share this object."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._own = threading.local()
        self._unconfirmed = Unconfirmed(Bounds.of(settings).publishes)
        self._refused = -math.inf  # monotonic time of the last refusal, unless a picture was taken since
        metrics.watch_queue(lambda: self.full)

    @property
    def full(self) -> bool:
        """Whether the last picture was refused because the queue is full, within the last minute."""
        return time.monotonic() - self._refused < REMEMBERED

    def publish(self, message: Message) -> None:
        """Publish a picture; returns once RabbitMQ has confirmed it.

        Raises:
            BrokerError: it has not.
        """
        (error,) = self.publish_all([message])
        if error is not None:
            raise error

    def publish_all(self, messages: Sequence[Message]) -> list[BrokerError | None]:
        """Publish pictures; returns of each None once RabbitMQ has confirmed it, or why it has not."""
        self._metrics.publishing(len(messages))
        answers = self._answers(list(map(encode, messages)))
        self._metrics.answered(answers)
        if any(error is not None and is_full(error) for error in answers):
            self._refused = time.monotonic()
        elif None in answers:
            self._refused = -math.inf
        return answers

    def publish_video(self, message: Message) -> None:
        """Queue a video to be extracted; returns once RabbitMQ has confirmed it.

        Raises:
            BrokerError: it has not.
        """
        with self._unconfirmed.held():
            self._publisher().publish("", VIDEOS, *encode(message))

    def check(self) -> None:
        """See that RabbitMQ is there.

        Raises:
            BrokerError: it is not.
        """
        self._publisher().check()

    def close(self) -> None:
        """Close this thread's connection."""
        self._publisher().close()

    def _answers(self, encoded: Sequence[tuple[Mapping[str, Any], bytes]]) -> list[BrokerError | None]:
        try:
            with self._unconfirmed.held():
                return self._publisher().publish_all(PICTURES_EXCHANGE, PICTURE_KEY, encoded)
        except BrokerError as error:
            return [error] * len(encoded)

    def _publisher(self) -> Publisher:
        if not hasattr(self._own, "publisher"):
            self._own.publisher = Publisher(self._settings)
        publisher: Publisher = self._own.publisher
        return publisher
