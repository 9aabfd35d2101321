"""Messages that are sent in one piece."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from pika.frame import Body, Header, Method, decode_frame

from faces.messaging.frames import MAX_BODY, send_all


def test_messages_are_framed_as_pika_reads_them() -> None:
    sent: list[bytes] = []
    inner = SimpleNamespace(_output_marshaled_frames=sent.extend)
    connection = SimpleNamespace(_impl=inner, _flush_output=lambda: None)
    long = b"x" * (MAX_BODY + 5)
    send_all(connection, SimpleNamespace(channel_number=3), "logs", [("a.b", b"short"), ("a.c", long)])
    (data,) = sent
    frames: list[Any] = []
    while data:
        taken, frame = decode_frame(data)
        frames.append(frame)
        data = data[taken:]
    assert [type(frame) for frame in frames] == [Method, Header, Body, Method, Header, Body, Body]
    assert {frame.channel_number for frame in frames} == {3}
    assert [(f.method.exchange, f.method.routing_key) for f in frames if isinstance(f, Method)] == [
        ("logs", "a.b"),
        ("logs", "a.c"),
    ]
    assert [f.body_size for f in frames if isinstance(f, Header)] == [5, len(long)]
    assert b"".join(f.fragment for f in frames if isinstance(f, Body)) == b"short" + long


def test_nothing_is_sent_of_nothing() -> None:
    send_all(None, None, "logs", [])
