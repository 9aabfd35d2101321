"""Connections whose answers are on their way to clients that read slowly, or still send."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable
from functools import partial

from rest.server.connection import Connection

LINGER = 2.0  # seconds for a client to see that its answer has come
SLOWEST_READER = (
    64 << 10
)  # bytes a second that a client takes of a large answer, in addition to the usual time


class Departures:
    """Sees answers off on gunicorn's loop. `poller` gives the loop's selector, `close` ends a connection."""

    def __init__(
        self, poller: Callable[[], selectors.BaseSelector], close: Callable[[Connection], None]
    ) -> None:
        self._poller = poller
        self._close = close
        self._sending: dict[Connection, float] = {}  # until when their answers have to be taken
        self._lingering: dict[Connection, float] = {}

    def send(self, conn: Connection, seconds: float, then: Callable[[], None]) -> None:
        """Send the rest of an answer as the client takes it, within `seconds` if it is small; then go on."""
        self._sending[conn] = time.monotonic() + seconds + conn.pending / SLOWEST_READER
        conn.watch(self._poller(), partial(self._on_writable, conn, then), selectors.EVENT_WRITE)

    def linger(self, conn: Connection) -> None:
        """Take what the client still sends, or it might not see its answer (RFC 9112, section 9.6)."""
        try:
            conn.sock.shutdown(socket.SHUT_WR)
        except OSError:  # the client has gone
            self._close(conn)
            return
        self._lingering[conn] = time.monotonic() + LINGER
        conn.watch(self._poller(), partial(self._on_leaving, conn))

    def end_late(self, now: float) -> None:
        """Close the connections whose time is over at a monotonic time."""
        for leaving in (self._lingering, self._sending):
            for conn in [conn for conn, end in leaving.items() if now > end]:
                del leaving[conn]
                self._close(conn)

    def _on_writable(self, conn: Connection, then: Callable[[], None], _: socket.socket) -> None:
        assert conn.outgoing is not None  # noqa: S101 -- it is what is sent
        try:
            conn.outgoing.send_more()
        except OSError:  # the client has gone
            del self._sending[conn]
            self._close(conn)
            return
        if not conn.pending:
            del self._sending[conn]
            conn.unwatch(self._poller())
            then()

    def _on_leaving(self, conn: Connection, _: socket.socket) -> None:
        try:
            if conn.sock.recv(65536, socket.MSG_DONTWAIT):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        del self._lingering[conn]
        self._close(conn)
