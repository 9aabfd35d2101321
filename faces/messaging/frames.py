"""Messages as the bytes of AMQP frames, so that several go to the kernel together.

pika would hand it each frame by itself, and three make a message (AMQP 0-9-1, 4.2.6).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from pika import frame, spec

MAX_BODY = 64 << 10  # bytes of a frame; RabbitMQ takes 128 KiB


def frames(
    channel: int, exchange: str, key: str, body: bytes, properties: Any = None, *, mandatory: bool = False
) -> bytes:
    """All frames of a message on the channel of that number; `mandatory`: it comes back if no queue takes it."""
    head = frame.Header(channel, len(body), properties or spec.BasicProperties()).marshal()
    pieces = (body[start : start + MAX_BODY] for start in range(0, len(body), MAX_BODY))
    bodies = (frame.Body(channel, piece).marshal() for piece in pieces)
    return b"".join([_publish(channel, exchange, key, mandatory), head, *bodies])


def send_all(connection: Any, channel: Any, exchange: str, messages: Sequence[tuple[str, bytes]]) -> None:
    """Send messages, each a routing key and a body, unconfirmed and in one piece."""
    if messages:
        packed = [frames(channel.channel_number, exchange, key, body) for key, body in messages]
        connection._impl._output_marshaled_frames([b"".join(packed)])
        connection._flush_output()


@lru_cache(16)
def _publish(channel: int, exchange: str, key: str, mandatory: bool) -> bytes:
    method = spec.Basic.Publish(exchange=exchange, routing_key=key, mandatory=mandatory)
    marshaled: bytes = frame.Method(channel, method).marshal()
    return marshaled
