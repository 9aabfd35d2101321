"""What is sent to those who listen: server-sent events, and the messages of the WebSocket."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol as Socket
from websockets.protocol import Side, State

from faces.usecases.event_details import Document
from rest.events.selection import Selection

MAX_SENT = 4096  # bytes of a message from a listener, who has nothing to say


class Listener(Protocol):
    """How one connection is spoken to. Equal listeners are sent equal bytes, made once for all of them."""

    def events(self, documents: Sequence[Document]) -> bytes:
        """The bytes for events, empty where none of them is wanted."""
        ...

    def gap(self, after: str, position: str) -> bytes:
        """The bytes for events that are lost between two ids."""
        ...

    def pulse(self, position: str) -> bytes:
        """The bytes for a quiet time, up to the event with an id."""
        ...


@dataclass(frozen=True, slots=True)
class ServerSent:
    """Server-sent events, as the HTML standard has them; `id` is what a browser resumes after by itself."""

    selection: Selection

    def events(self, documents: Sequence[Document]) -> bytes:
        """One event each, its kind as the event's type."""
        wanted = (document for document in documents if self.selection.admits(document))
        return b"".join(_server_sent(d["kind"], d, f"id: {d['id']}\n") for d in wanted)

    def gap(self, after: str, position: str) -> bytes:
        """An event of the type `gap`; the position resumed from is its id."""
        return _server_sent("gap", {"kind": "gap", "after": after, "before": position}, f"id: {position}\n")

    def pulse(self, position: str) -> bytes:
        """An id without an event: a reader of few kinds need not start again from the last one it wanted."""
        return f"id: {position}\n\n".encode()


@dataclass(frozen=True, slots=True)
class FacesSocket:
    """The WebSocket `/faces`: a message for each picture in which faces were found."""

    base: str  # of the server's URLs, as the listener sees it

    def events(self, documents: Sequence[Document]) -> bytes:
        """One text message each."""
        return b"".join(self._message(d) for d in documents if d["kind"] == "done")

    def gap(self, after: str, position: str) -> bytes:  # noqa: ARG002 -- as the protocol has it
        """Nothing: the message's form leaves no room for it."""
        return b""

    def pulse(self, position: str) -> bytes:  # noqa: ARG002 -- as the protocol has it
        """A ping."""
        return _frame(Opcode.PING, b"")

    def _message(self, document: Document) -> bytes:
        message = {
            "message": "Successful face detection",
            "created_at": _moment(document.get("accepted", document["time"])),
            "processed_at": _moment(document.get("finished", document["time"])),
            "faces_count": document["faces"],
            "image_url": f"{self.base}/v1/images/{document['hash']}/annotated",
        }
        return _frame(Opcode.TEXT, json.dumps(message).encode())


@dataclass(eq=False, slots=True)
class Incoming:
    """What a listener sends. Nothing is asked of it but to answer pings and farewells, if it is a WebSocket."""

    socket: Socket | None = None
    ended: bool = field(default=False, init=False)

    @classmethod
    def websocket(cls) -> Incoming:
        """From a WebSocket whose handshake is over."""
        return cls(Socket(Side.SERVER, max_size=MAX_SENT))

    def receive(self, data: bytes) -> bytes:
        """Take what has come, b"" for the end; give what is to be sent in return."""
        if self.socket is None:
            self.ended = not data
            return b""
        self.socket.receive_data(data) if data else self.socket.receive_eof()
        self.socket.events_received()  # nothing that a client says means anything here
        self.ended = self.socket.state is not State.OPEN
        return b"".join(self.socket.data_to_send())


def _server_sent(kind: str, document: Document, number: str) -> bytes:
    return f"{number}event: {kind}\ndata: {json.dumps(document)}\n\n".encode()


def _frame(opcode: Opcode, data: bytes) -> bytes:
    return Frame(opcode, data).serialize(mask=False)


def _moment(seconds: float | None) -> str:
    return datetime.fromtimestamp(seconds or 0, UTC).isoformat(timespec="microseconds")
