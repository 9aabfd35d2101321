"""Following events: server-sent events, and the WebSocket `/faces`."""

from __future__ import annotations

from functools import partial

from flask import Response, g, request
from pydantic import Field
from websockets.datastructures import Headers
from websockets.http11 import Request as Handshake
from websockets.server import ServerProtocol

from faces import api_key
from faces.store.events.stream import order
from rest.events.listener import FacesSocket, Incoming, Listener, ServerSent
from rest.events.selection import Selection
from rest.openapi import Parameters, Routes, content
from rest.parts import parts
from rest.problems import ProblemError
from rest.server import takeover
from rest.v1.events.kinds import Kinds

events = Routes("events")


class Followed(Parameters):
    """Which events to send; all where nothing is said."""

    kind: Kinds = Field(default=[])
    hash: str = Field(default="", description="Only events of this picture")
    prefix: str = Field(default="", description="Only events of pictures whose name begins with this")
    person: str = Field(default="", description="Only events of this person, by id")
    after: str = Field(
        default="",
        description="The id of the last event seen, where Last-Event-ID cannot be sent; 0-0: from the first",
    )


@events.operation(
    "GET", "/v1/events", scope=api_key.READ, answers={200: content("Server-sent events", "text/event-stream")}
)
def follow(query: Followed) -> Response:
    """What becomes of pictures and people, as it happens, as server-sent events.

    Each event's `id` may be sent back as `Last-Event-ID`, as browsers do by themselves: then those that follow it
    come first. Where some of them are no longer kept, an event `gap` comes instead of them.
    """
    after = request.headers.get("Last-Event-ID") or query.after or parts().follower.position
    try:
        order(after)
    except ValueError as error:
        raise ProblemError("bad_request", f"Last-Event-ID: {error}") from error
    wanted = Selection(frozenset(query.kind), query.hash, query.prefix, query.person)
    _listen(ServerSent(wanted), Incoming(), after)
    return Response(mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})


@events.operation(
    "GET",
    "/faces",
    scope=api_key.READ,
    answers={101: {"description": "A WebSocket: a JSON message for each picture in which faces were found"}},
    websocket=True,
)
def faces_socket() -> Response:
    """A WebSocket with a message for each picture in which faces were found.

    `message`, `created_at`, `processed_at`, `faces_count`, `image_url`.
    """
    answer = ServerProtocol().accept(Handshake(request.full_path, Headers(request.headers.items())))
    if answer.status_code != 101:
        raise ProblemError("bad_request", "open a WebSocket (RFC 6455) here, as ws://host/faces")
    base = parts().settings.rest_url.rstrip("/") or request.host_url.rstrip("/")
    _listen(FacesSocket(base), Incoming.websocket(), parts().follower.position)
    return Response(status=101, headers=[(name, value) for name, value in answer.headers.raw_items()])


def _listen(listener: Listener, incoming: Incoming, after: str) -> None:
    """Have the connection taken over when the request is through."""
    hub = parts().hub
    if hub.full:
        raise ProblemError("busy", "too many event streams are open")
    g.outcome = {"after": after}
    take = partial(hub.take, listener=listener, incoming=incoming, after=after)
    takeover.offer(request.environ, take)
