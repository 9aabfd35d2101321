"""Connections on which a request is on its way in, or on which nothing has come yet."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Callable
from functools import partial

from rest.server.connection import Connection


class Arrivals:
    """Watches connections on gunicorn's loop, in the order in which they began to wait.

    `poller` gives the loop's selector; `gather` takes what has come on a connection, which no longer waits then.
    """

    def __init__(
        self, poller: Callable[[], selectors.BaseSelector], gather: Callable[[Connection], None]
    ) -> None:
        self._poller = poller
        self._gather = gather
        self._waiting: dict[Connection, None] = {}
        self._lock = threading.Lock()  # a thread makes a connection wait again while the loop looks at it

    def wait(self, conn: Connection) -> None:
        """Have a connection wait for more."""
        self._waiting[conn] = None
        if not conn.watched:
            conn.watch(self._poller(), partial(self._on_arrival, conn))

    def wait_again(self, conn: Connection) -> bool:
        """Have it wait for its next request, called by a thread; False where the loop has to see to that."""
        with self._lock:
            waits = conn.watched and not conn.arrival.ready
            if waits:
                self._waiting[conn] = None
        return waits

    def leave(self, conn: Connection) -> None:
        """Have it wait no more."""
        del self._waiting[conn]
        conn.unwatch(self._poller())

    def late(self, now: float) -> list[Connection]:
        """Those on which more should have come by a monotonic time."""
        return [conn for conn in list(self._waiting) if conn.arrival.late(now)]

    def idle(self) -> list[Connection]:
        """Those on which nothing of a request has come, that of the longest wait first."""
        return [conn for conn in list(self._waiting) if not conn.arrival.begun]

    def hurry(self, deadline: float) -> None:
        """Have the idle ones wait no longer than until a monotonic time."""
        for conn in self.idle():
            conn.arrival.hurry(deadline)

    def _on_arrival(self, conn: Connection, _: socket.socket) -> None:
        with self._lock:
            if conn not in self._waiting:  # a thread is at work on it: more is taken when that is done
                conn.unwatch(self._poller())
                return
            del self._waiting[conn]
        self._gather(conn)
