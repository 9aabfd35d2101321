"""Many messages on one channel, each confirmed by RabbitMQ, and one wait for all of them.

pika's own confirmed publishing waits for each message before it sends the next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pika.exceptions import AMQPError, NackError, UnroutableError
from pika.spec import Basic, BasicProperties

from faces.messaging.frames import frames

PERSISTENT = 2


@dataclass(eq=False, slots=True)
class Outgoing:
    """A message to publish, and what RabbitMQ has said of it: taken if it is `answered` and there is no `fault`."""

    headers: Mapping[str, Any]
    body: bytes
    expiration: str | None = None  # in ms
    answered: bool = False
    fault: AMQPError | None = None

    @property
    def properties(self) -> Any:
        """Its properties: RabbitMQ keeps it on disk."""
        return BasicProperties(
            headers=dict(self.headers), delivery_mode=PERSISTENT, expiration=self.expiration
        )


class ConfirmingChannel:
    """A channel of a `pika.BlockingConnection` that nobody else publishes on."""

    def __init__(self, channel: Any) -> None:
        self.channel = channel
        self._last = 0  # the delivery tag of the last message: RabbitMQ counts them from 1
        self._unanswered: dict[int, Outgoing] = {}
        channel._impl.add_on_return_callback(self._on_return)
        channel._impl.confirm_delivery(self._on_answer)

    @property
    def is_open(self) -> bool:
        """Whether messages can be published on it."""
        return bool(self.channel.is_open)

    def publish(self, exchange: str, key: str, messages: Sequence[Outgoing]) -> None:
        """Publish messages, and return once each is answered.

        Raises:
            AMQPError: the channel or the connection is lost; some messages may be answered.
        """
        number = self.channel.channel_number
        packed = [frames(number, exchange, key, m.body, m.properties, mandatory=True) for m in messages]
        for message in messages:
            message.fault = None  # of a connection that was lost
        self._unanswered = dict(enumerate(messages, self._last + 1))
        self._last += len(messages)
        self.channel._connection._impl._output_marshaled_frames(packed)
        self.channel._flush_output(lambda: not self._unanswered)

    def _on_answer(self, answer: Any) -> None:
        method = answer.method
        tags = [method.delivery_tag]
        if method.multiple:
            tags = [tag for tag in self._unanswered if tag <= method.delivery_tag]
        for tag in tags:
            message = self._unanswered.pop(tag)
            message.answered = True
            if isinstance(method, Basic.Nack):
                message.fault = NackError([])

    def _on_return(self, *_: Any) -> None:
        """No queue takes a message: RabbitMQ does not say which, and all have the same key."""
        for message in self._unanswered.values():
            message.fault = UnroutableError([])
