"""Publishing pictures from the threads of the server, each on a connection of its own that it keeps open."""

from __future__ import annotations

import threading

from faces.amqp import Publisher
from faces.config import Settings
from faces.message import Message, encode
from faces.topology import PICTURE_KEY, PICTURES_EXCHANGE
from rest.metrics import Metrics


class Publishers:
    """One publisher a thread. Threads may share this object."""

    def __init__(self, settings: Settings, metrics: Metrics) -> None:
        self._settings = settings
        self._metrics = metrics
        self._own = threading.local()

    def publish(self, message: Message) -> None:
        """Publish a picture; returns once RabbitMQ has confirmed it.

        Raises:
            BrokerError: it has not.
        """
        headers, body = encode(message)
        with self._metrics.publishing():
            self._publisher().publish(PICTURES_EXCHANGE, PICTURE_KEY, headers, body)

    def check(self) -> None:
        """See that RabbitMQ is there.

        Raises:
            BrokerError: it is not.
        """
        self._publisher().check()

    def close(self) -> None:
        """Close this thread's connection."""
        self._publisher().close()

    def _publisher(self) -> Publisher:
        if not hasattr(self._own, "publisher"):
            self._own.publisher = Publisher(self._settings)
        publisher: Publisher = self._own.publisher
        return publisher
