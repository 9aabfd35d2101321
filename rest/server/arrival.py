"""A request on its way in, gathered without a thread, so that slow senders and silent ones occupy none."""

from __future__ import annotations

import socket
import tempfile
import time
from contextlib import suppress

from rest.server.framing import Framing

IN_MEMORY = 64 << 10  # bytes of a request kept in memory, more in a temporary file: there may be a thousand
AT_ONCE = 1 << 20  # bytes read before others have their turn
PIECE = 64 << 10
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Arrival:
    """What has come on a connection since its last request.

    gunicorn's loop calls `receive`, which never waits. Once `ready`, a thread reads what was gathered
    with `recv`, as it would from the socket, and what is still to come of a `large` request from the socket.
    """

    def __init__(self, connection: socket.socket, *, largest: int, seconds: float, idle: float) -> None:
        """Begin.

        Args:
            connection: where the request comes from.
            largest: bytes of a body to gather; a larger one is not gathered at all.
            seconds: for the whole request to arrive, from its first byte on.
            idle: seconds for the first byte to arrive.
        """
        self._connection = connection
        self._largest = largest
        self._seconds = seconds
        self._idle = idle
        self._ended = False  # the other side sends no more
        self._framing = Framing()
        self._gathered = tempfile.SpooledTemporaryFile[bytes](IN_MEMORY)
        self._received = 0
        self._deadline = 0.0
        self._begin()

    @property
    def ready(self) -> bool:
        """A thread can go on."""
        return self._ended or self._framing.complete or self.large

    @property
    def large(self) -> bool:
        """The request is too large to be gathered, or its head is."""
        framing = self._framing
        return framing.length > self._largest or (framing.complete and not framing.head_complete)

    @property
    def empty(self) -> bool:
        """The other side has ended the connection, and no request was begun."""
        return self._ended and not self.begun

    @property
    def begun(self) -> bool:
        """Something of a request has come."""
        return self._received > 0

    def late(self, now: float) -> bool:
        """Tell whether it should have arrived by a monotonic time."""
        return now > self._deadline

    def hurry(self, deadline: float) -> None:
        """Wait no longer than until a monotonic time."""
        self._deadline = min(self._deadline, deadline)

    def receive(self) -> None:
        """Take what has come, without waiting."""
        end = self._received + AT_ONCE
        while not self.ready and self._received < end:
            try:
                data = self._connection.recv(PIECE, socket.MSG_DONTWAIT)
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                data = b""
            if not data:
                self._ended = True
                return
            self.feed(data)

    def feed(self, data: bytes) -> None:
        """Take bytes of a request."""
        if not self.begun:
            self._deadline = time.monotonic() + self._seconds
        self._received += len(data)
        self._gathered.seek(0, 2)
        self._gathered.write(data)
        before = self._framing.head_complete
        self._framing.feed(data)
        if self._framing.head_complete and not before:
            self._encourage()

    def hand_over(self) -> None:
        """Let a thread read from the beginning."""
        self._gathered.seek(0)

    def recv(self, size: int) -> bytes:
        """Give what was gathered, then what comes; as a socket does."""
        data = self._gathered.read(size)
        if data or self._ended:
            return data
        return self._connection.recv(size)

    def gettimeout(self) -> float | None:
        """As a socket does."""
        return self._connection.gettimeout()

    def settimeout(self, seconds: float | None) -> None:
        """As a socket does, where the request is read from it."""
        if self.large:
            self._connection.settimeout(seconds)

    def next(self, read_ahead: bytes) -> None:
        """Begin the next request on the connection, of which a thread may have read some."""
        ended, rest = self._ended, read_ahead + self._gathered.read()
        self.close()
        self._begin()
        self._ended = ended
        if rest:
            self.feed(rest)

    def close(self) -> None:
        """Forget what was gathered."""
        self._gathered.close()

    def _begin(self) -> None:
        self._ended = False
        self._framing = Framing()
        self._gathered = tempfile.SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 -- closed with the request
        self._received = 0
        self._deadline = time.monotonic() + self._idle

    def _encourage(self) -> None:
        """Answer a sender that waits to be asked for the body."""
        if self._framing.expects_continue and not self._framing.complete and not self.large:
            with suppress(OSError):
                self._connection.send(CONTINUE, socket.MSG_DONTWAIT)
