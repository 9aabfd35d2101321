"""One deadline over everything that is done on a connection, however slowly the other side drips its bytes."""

import contextlib
import socket
import threading
import time
from types import TracebackType
from typing import Self


class Deadline:
    """A span of seconds, as a context. When it ends, the watched sockets are shut down.

    A socket's own timeout starts anew with each byte that arrives, so a server that sends one byte a second is
    never late. Here a timer ends the connection under whatever layer is reading: TLS handshake, headers, body.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._watched: list[socket.socket] = []
        self._passed = False

    @property
    def passed(self) -> bool:
        """Whether it has passed; what was read from a watched socket may then be cut short."""
        return self._passed or self.remaining() <= 0

    def remaining(self) -> float:
        """Return the seconds left; negative when it has passed."""
        return self._end - time.monotonic()

    def watch(self, connection: socket.socket) -> None:
        """Shut the connection down when the deadline passes, at once if it has."""
        # A second handle on the same connection: wrapping a socket in TLS takes the first one's away.
        handle = connection.dup()
        with self._lock:
            self._watched.append(handle)
            if self._passed:
                _shut(handle)

    def __enter__(self) -> Self:
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        with self._lock:
            for handle in self._watched:
                handle.close()
            self._watched.clear()

    def _cut(self) -> None:
        with self._lock:
            self._passed = True
            for handle in self._watched:
                _shut(handle)


def _shut(handle: socket.socket) -> None:
    with contextlib.suppress(OSError):  # the other side may have closed it already
        handle.shutdown(socket.SHUT_RDWR)
