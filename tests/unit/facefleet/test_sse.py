"""Reading server-sent events."""

from __future__ import annotations

from facefleet import Event
from facefleet.sse import parse


def test_events_are_read_as_the_standard_has_them() -> None:
    stream = """: a comment

id: 1-0
event: done
data: {"faces":
data: 2}

id: 2-0

event: failed
data:{"code": "truncated"}

event: cut short
data: {}"""
    assert list(parse(stream.split("\n"))) == [
        Event("1-0", "done", {"faces": 2}),
        Event("2-0", "", {}),  # only a place to resume from
        Event("2-0", "failed", {"code": "truncated"}),
    ]
