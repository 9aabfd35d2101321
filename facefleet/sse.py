"""Server-sent events, as the HTML standard defines the format."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from facefleet.models import Event


def parse(lines: Iterable[str]) -> Iterator[Event]:
    """The events in the lines of a stream. An id without data is an event of the kind "": only its id counts."""
    number, kind, seen = "", "", False
    data: list[str] = []
    for line in lines:
        if not line:
            if seen:
                yield Event(number, kind if data else "", json.loads("\n".join(data)) if data else {})
            kind, data, seen = "", [], False
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "id":
            number, seen = value, True
        elif field == "event":
            kind = value
        elif field == "data":
            data.append(value)
            seen = True
