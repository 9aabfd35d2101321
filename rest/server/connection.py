"""A client's connection: its socket, what has arrived on it, and what it is being sent."""

from __future__ import annotations

import selectors
import socket
from collections.abc import Callable
from typing import Any

from gunicorn.http import get_parser
from gunicorn.workers.gthread import TConn

from rest.server.arrival import Arrival
from rest.server.outgoing import Outgoing


class ClientSocket(socket.socket):
    """A socket that asks the kernel for a mode only if it has another; gunicorn sets it with every request."""

    def setblocking(self, flag: bool) -> None:
        """Wait for data or not."""
        if self.getblocking() != flag:
            super().setblocking(flag)


class Connection(TConn):  # type: ignore[misc]  # gunicorn has no types
    """A connection. It belongs to gunicorn's loop, and to a thread while that handles a request of it."""

    def __init__(self, cfg: Any, sock: socket.socket, client: Any, server: Any, arrival: Arrival) -> None:
        super().__init__(cfg, sock, client, server)
        self.arrival = arrival
        self.watched = False  # the loop is told of what comes
        self.large = False  # its request is read by its thread
        self.outgoing: Outgoing | None = None  # the answer that it is sent
        self.parser = get_parser(cfg, arrival, client)

    @property
    def pending(self) -> int:
        """Bytes of the answer that the client has yet to take."""
        return self.outgoing.pending if self.outgoing else 0

    def watch(
        self,
        poller: selectors.BaseSelector,
        callback: Callable[[Any], None],
        events: int = selectors.EVENT_READ,
    ) -> None:
        """Have the loop told of what happens here; that goes on while requests are handled."""
        (poller.modify if self.watched else poller.register)(self.sock, events, callback)
        self.watched = True

    def unwatch(self, poller: selectors.BaseSelector) -> None:
        """Have the loop told no more."""
        if self.watched:
            poller.unregister(self.sock)
            self.watched = False

    def renew(self) -> None:
        """Forget the answer, and begin the next request."""
        self.forget_answer()
        self.arrival.next(self.parser.unreader.take_buffered())

    def forget_answer(self) -> None:
        """Forget what was kept of the answer."""
        if self.outgoing:
            self.outgoing.close()
            self.outgoing = None
